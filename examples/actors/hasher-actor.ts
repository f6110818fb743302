import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { defineActor } from '../../runtime/index.ts';
import { hasher } from './protocols.ts';

const BLOCK = 64 * 1024;

export default defineActor({
  blueprint: hasher,
  setup: () => ({
    handlers: {
      async hash({ seed, blocks }, writer) {
        const hash = createHash('sha256');
        for (let done = 0; done < blocks; done++) {
          hash.update(Buffer.alloc(BLOCK, seed + done));
          writer.write(done + 1); // progress may be left out when the reader is slow
          await turn(); // so that a cancel is heard
          writer.signal.throwIfAborted();
        }
        writer.end(hash.digest('hex'));
      },
    },
  }),
});
