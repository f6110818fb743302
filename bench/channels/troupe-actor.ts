import { defineActor } from '../../runtime/index.ts';
import { echo } from './troupe-protocol.ts';

export default defineActor({
  blueprint: echo,
  setup: () => ({ handlers: { echo: (message) => message } }),
});
