/** Counts words, on a thread of its own. */
import { defineActor } from '../../runtime/index.ts';
import { type Counts, counter } from './protocols.ts';

export default defineActor({
  blueprint: counter,
  setup: () => ({
    handlers: {
      count(paragraph): Counts {
        const counts = new Map<string, number>();
        for (const [word] of paragraph.toLowerCase().matchAll(/\p{L}+/gu)) {
          counts.set(word, (counts.get(word) ?? 0) + 1);
        }
        return Object.fromEntries(counts);
      },
    },
  }),
});
