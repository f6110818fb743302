/**
 * Sticky: messages with the same key go to the same member while it is there, so that what it keeps of them
 * (a cached prefix, an encoded image) is found again. By rendezvous hashing: each member has a score for the
 * key, the highest wins. When a member leaves, only its keys move; when one joins, it takes over only those it
 * wins; and every thread comes to the same answer without talking to the others. A member that is full keeps its keys:
 * they wait for it. No key: least loaded.
 */
import { leastLoaded } from './least-loaded.ts';
import type { PreferenceOf } from './preference.ts';
import type { Candidate, RoutingPolicy } from './routing-policy.ts';

export function sticky(members: readonly string[], preferenceOf: PreferenceOf): RoutingPolicy {
  return {
    choose: leastLoaded(members, preferenceOf).choose,
    home: (key, candidates) => winnerOf(key, candidates)?.name,
  };
}

/**
 * Pinned: as sticky, among all members that the pool was made with, whether they are there or not. What belongs to a key
 * waits until its member is back; no other ever gets it.
 */
export function pinned(poolMembers: readonly string[], preferenceOf: PreferenceOf): RoutingPolicy {
  const all = poolMembers.map((name) => ({ name }));
  return {
    choose: leastLoaded(poolMembers, preferenceOf).choose,
    home: (key) => winnerOf(key, all)?.name,
  };
}

function winnerOf<Member extends Pick<Candidate, 'name'>>(
  key: string,
  candidates: Iterable<Member>,
): Member | undefined {
  let chosen: Member | undefined;
  let highest = -1;
  const keyHash = hash(key, FNV_BASIS);
  for (const candidate of candidates) {
    const score = mix(hash(candidate.name, keyHash));
    // Equal scores are possible; the order of the candidates must not matter.
    if (score > highest || (score === highest && chosen !== undefined && candidate.name < chosen.name)) {
      chosen = candidate;
      highest = score;
    }
  }
  return chosen;
}

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over UTF-16 units. */
function hash(text: string, basis: number): number {
  let value = basis;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), FNV_PRIME);
  return value;
}

/** FNV leaves the high bits of similar names alike, and the comparison is decided by them: MurmurHash3's finish. */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
