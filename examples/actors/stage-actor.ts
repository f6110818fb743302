import { defineActor } from '../../runtime/index.ts';
import { stage } from './protocols.ts';

const WORK = {
  trim: (line: string) => line.trim(),
  shout: (line: string) => `${line.toUpperCase()}!`,
};

export default defineActor({
  blueprint: stage,
  setup: ({ work, next }) => ({
    handlers: {
      async run(lines, writer) {
        const done = lines.map(WORK[work]);
        if (next !== undefined) {
          await next.forward('run', done, writer); // the next one answers the reader directly
          return;
        }
        for (const line of done) await writer.send(line);
        writer.end(done.length);
      },
    },
  }),
});
