/**
 * Least loaded: the member with the least to do. Equals take turns: loads are published with a delay, and if
 * the first of them always won, a burst to an idle pool would all go to one member.
 */
import type { PreferenceOf } from './preference.ts';
import type { RoutingPolicy } from './routing-policy.ts';

export function leastLoaded(_members: readonly string[], preferenceOf: PreferenceOf): RoutingPolicy {
  let start = 0;
  return {
    choose(candidates, prefer) {
      const count = candidates.length;
      let chosenAt = 0;
      let leastLoad = Number.POSITIVE_INFINITY;
      for (let step = 0; step < count; step++) {
        const at = (start + step) % count;
        const candidate = candidates[at];
        if (candidate === undefined) continue;
        const load = candidate.load() - preferenceOf(prefer, candidate.name);
        if (step === 0 || load < leastLoad) {
          chosenAt = at;
          leastLoad = load;
        }
      }
      start = chosenAt + 1;
      return candidates[chosenAt];
    },
  };
}
