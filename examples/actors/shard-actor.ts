import { defineActor } from '../../runtime/index.ts';
import { shard } from './protocols.ts';

export default defineActor({
  blueprint: shard,
  setup() {
    const counts = new Map<string, number>();
    return {
      handlers: {
        add: (key) => void counts.set(key, (counts.get(key) ?? 0) + 1),
        count: (key) => counts.get(key) ?? 0,
        keys: () => [...counts.keys()],
      },
    };
  },
});
