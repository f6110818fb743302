import process from 'node:process';
import { defineActor } from '../../runtime/index.ts';
import { flaky } from './protocols.ts';

export default defineActor({
  blueprint: flaky,
  setup: () => ({
    handlers: {
      job(number) {
        if (number % 3 === 2) process.exit(1); // as a bug in a library might
        return `job ${number} done`;
      },
    },
  }),
});
