/** The seam for routing: which member of a pool gets a message. */
import { leastLoaded } from './least-loaded.ts';
import { type PreferenceOf, preferenceReader } from './preference.ts';
import { roundRobin } from './round-robin.ts';
import { pinned, sticky } from './sticky.ts';

/**
 * How a ref chooses among the members of a pool: the one with the least to do, each in turn, by the `routeKey` among those
 * that are there, or by the `routeKey` for good: what belongs to a key waits while its member is restarted.
 */
export type RoutingPolicyName = 'round-robin' | 'least-loaded' | 'sticky' | 'pinned';

export interface Candidate {
  /** The same for all incarnations of a member, and different from all other members'. */
  readonly name: string;
  /** How much the member has to do at this moment; only comparisons matter. */
  load(): number;
}

export interface RoutingPolicy {
  /**
   * Of those with room. `undefined` when there is no candidate.
   *
   * @param prefer how much more each may have to do than others and still be chosen, where loads are compared; one that
   *   throws or gives no number prefers nobody
   */
  choose<Member extends Candidate>(
    candidates: readonly Member[],
    prefer?: (member: string) => number,
  ): Member | undefined;
  /** The one member that what belongs to a key goes to, with or without room. Absent: keys mean nothing. */
  home?(key: string, live: Iterable<Pick<Candidate, 'name'>>): string | undefined;
}

type MakePolicy = (members: readonly string[], preferenceOf: PreferenceOf) => RoutingPolicy;

const MAKE_POLICY: Readonly<Record<RoutingPolicyName, MakePolicy>> = {
  'round-robin': roundRobin,
  'least-loaded': leastLoaded,
  sticky,
  pinned,
};

export const ROUTING_POLICIES: readonly string[] = Object.keys(MAKE_POLICY);

/**
 * A policy with fresh state.
 * @param members of the pool, whether they are there or not
 * @param preferenceOf what has warned already of a `prefer` that fails. Default: one that has not
 */
export function routingPolicy(
  name: RoutingPolicyName,
  members: readonly string[],
  preferenceOf = preferenceReader(),
): RoutingPolicy {
  return MAKE_POLICY[name](members, preferenceOf);
}
