/**
 * A routing policy picks the member of a pool that gets the next message. It is made where the ref is used, so
 * it may keep state of its own; what travels with a ref is the policy's name.
 */
import { leastLoaded } from './least-loaded.ts';
import { roundRobin } from './round-robin.ts';
import { sticky } from './sticky.ts';

/**
 * How a ref chooses among the members that have room: in turn, the one with least to do, or the same for the same
 * `routeKey`.
 */
export type RoutingPolicyName = 'round-robin' | 'least-loaded' | 'sticky';

export interface Candidate {
  /** The same for all incarnations of a member, and different from all other members'. */
  readonly name: string;
  /** How much the member has to do at this moment; only comparisons matter. */
  load(): number;
}

export interface RoutingPolicy {
  /** `undefined` when there is no candidate. `key`: what must go to the same member again, for `sticky`. */
  choose<Member extends Candidate>(candidates: readonly Member[], key?: string): Member | undefined;
}

const MAKE_POLICY: Readonly<Record<RoutingPolicyName, () => RoutingPolicy>> = {
  'round-robin': roundRobin,
  'least-loaded': leastLoaded,
  sticky,
};

/** A policy with fresh state. */
export function routingPolicy(name: RoutingPolicyName): RoutingPolicy {
  return MAKE_POLICY[name]();
}
