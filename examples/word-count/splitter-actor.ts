/** Has the paragraphs of a text counted by the pool of counters, all at once, and adds up what comes back. */
import { type ActorRef, defineActor, TroupeError } from '../../runtime/index.ts';
import { type Counts, type counterProtocol, splitter } from './protocols.ts';

export default defineActor({
  blueprint: splitter,
  setup: ({ counters }) => ({
    handlers: {
      async countWords({ text }, writer) {
        const total = new Map<string, number>();
        const paragraphs = text.split(/\n{2,}/);
        await Promise.all(
          paragraphs.map(async (paragraph, index) => {
            const counts = await countReliably(counters, paragraph);
            let words = 0;
            for (const [word, count] of Object.entries(counts)) {
              total.set(word, (total.get(word) ?? 0) + count);
              words += count;
            }
            await writer.send({ paragraph: index, words });
          }),
        );
        writer.end(Object.fromEntries(total));
      },
    },
  }),
});

/** Delivery is at most once; whether a lost request may be made again only its sender knows. Counting may. */
async function countReliably(counters: ActorRef<typeof counterProtocol>, paragraph: string): Promise<Counts> {
  for (;;) {
    try {
      return await counters.ask('count', paragraph);
    } catch (error) {
      if (!TroupeError.is(error) || error.code !== 'ACTOR_DIED') throw error;
    }
  }
}
