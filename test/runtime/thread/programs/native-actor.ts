import { defineActor, inNative } from '../../../../runtime/index.ts';
import { DONE, ENDING, happen, INSIDE, nativeActor } from './native-protocol.ts';

export default defineActor({
  blueprint: nativeActor,
  setup: () => ({
    handlers: {
      work: (events) =>
        inNative(async () => {
          happen(events, INSIDE);
          Atomics.wait(events, ENDING, 0);
          happen(events, DONE);
        }),
    },
  }),
});
