/** Round-robin: the members in turn, whatever they have to do. */
import type { RoutingPolicy } from './routing-policy.ts';

export function roundRobin(): RoutingPolicy {
  let turn = 0;
  return {
    choose(candidates) {
      if (candidates.length === 0) return undefined;
      const chosen = candidates[turn % candidates.length];
      turn = (turn + 1) % candidates.length;
      return chosen;
    },
  };
}
