import { defineActor, transfer } from '../../runtime/index.ts';
import { inverter } from './protocols.ts';

export default defineActor({
  blueprint: inverter,
  setup: () => ({
    handlers: {
      invert(buffer) {
        const words = new Uint32Array(buffer);
        for (let at = 0; at < words.length; at++) words[at] = ~(words[at] ?? 0);
        return transfer(buffer, [buffer]); // the memory goes back, nothing is copied
      },
    },
  }),
});
