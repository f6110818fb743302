/**
 * Two kinds of work on one thread, taking turns: runs of the vision graph, and the decode steps of an aggregated
 * actor's language model, one for each turn of the event loop. Between two runs the others get as much time as the
 * last run took, as long as they have work; so encoding takes at most half of the thread from running answers, and
 * all of it when there are none.
 */

/** Resolves after at least one turn of the event loop. @param now milliseconds */
export async function fairShare(
  lastRunMs: number,
  othersWait: () => boolean,
  now: () => number = () => performance.now(),
): Promise<void> {
  const until = now() + lastRunMs;
  do await turn();
  while (othersWait() && now() < until);
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
