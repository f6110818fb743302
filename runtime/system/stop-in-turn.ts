/**
 * Stops pools one after another within one grace. The order is kept as long as pools stop in time: who was spawned last may
 * still talk to those that were there before. One that does not stop takes its part of the grace from nobody else.
 *
 * Threads end when all have stopped, in the same order: by then the threads of libraries inside them have ended, and what
 * `start-in-turn.ts` says of malloc's arenas holds for those, too. A pool that does not stop keeps the threads of others for
 * a part of the grace only.
 */
import type { EndTurn } from '../supervision/first-and-others.ts';
import type { Group } from '../supervision/group.ts';
import { after, endsWithin } from '../util/timers.ts';

/** For this part of the grace threads wait for each other. */
const PATIENCE = 0.5;

/** Names of those that did not stop, by pool. */
export async function stopInTurn(
  groups: readonly Pick<Group, 'quiet' | 'stop'>[],
  graceMs: number,
): Promise<string[][]> {
  const until = performance.now() + graceMs;
  const late = Promise.withResolvers<void>();
  const patience = after(PATIENCE * graceMs, late.resolve);
  const stops: { readonly end: Promise<string[]>; readonly mayEnd: () => void }[] = [];
  for (const [index, group] of groups.entries()) {
    const turn = Promise.withResolvers<void>();
    const leftMs = until - performance.now();
    // One alone waits for nobody, and its threads end also while this one is busy.
    const threads: EndTurn | undefined =
      groups.length === 1 ? undefined : { turn: turn.promise, late: late.promise };
    const end = group.stop(leftMs, threads);
    stops.push({ end, mayEnd: turn.resolve });
    await endsWithin(leftMs / (groups.length - index), Promise.race([end, group.quiet]));
  }
  for (const { end, mayEnd } of stops) {
    mayEnd();
    await Promise.race([end, late.promise]);
  }
  clearTimeout(patience);
  return await Promise.all(stops.map(({ end }) => end));
}
