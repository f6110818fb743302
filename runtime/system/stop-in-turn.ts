/**
 * Stops pools one after another within one grace. The order is kept as long as pools stop in time: who was spawned last may
 * still talk to those that were there before. One that does not stop takes its part of the grace from nobody else.
 */
import type { Group } from '../supervision/group.ts';
import { endsWithin } from '../util/timers.ts';

/** Names of those that did not stop, by pool. */
export async function stopInTurn(groups: readonly Group[], graceMs: number): Promise<string[][]> {
  const until = performance.now() + graceMs;
  const ends: Promise<string[]>[] = [];
  for (const [index, group] of groups.entries()) {
    const leftMs = until - performance.now();
    const end = group.stop(leftMs);
    ends.push(end);
    await endsWithin(leftMs / (groups.length - index), end);
  }
  return await Promise.all(ends);
}
