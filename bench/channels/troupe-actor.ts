import { defineActor, transfer } from '../../runtime/index.ts';
import { echo } from './troupe-protocol.ts';

export default defineActor({
  blueprint: echo,
  setup: () => ({
    handlers: {
      echo: (message) => message,
      take() {},
      async read(count, writer) {
        for (let id = 1; id <= count; id++) {
          const item = { id, text: 'an item of some length' };
          if (!writer.write(item)) await writer.send(item);
        }
        writer.end();
      },
      move: (buffer) => transfer(buffer, [buffer]),
    },
  }),
});
