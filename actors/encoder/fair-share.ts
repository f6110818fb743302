/**
 * Two kinds of work on one thread, taking turns: runs of the vision graph, and those of an aggregated actor's language model,
 * one for each turn of the event loop. Between two runs of the first
 *
 *  - prompts are brought to their first tokens, within the time that the last run took or 50 ms. A prompt is short beside its
 *    picture, and many have their first token soonest when each is finished before the next is begun;
 *  - answers go on for as long as the last run was longer than a reader notices, and for one step at least.
 *
 * So while pictures take long, encoding has at most half of the thread, and all of it when nobody else has work.
 */

export interface OtherWork {
  /** Whether answers are being made. */
  answers(): boolean;
  /** Whether there are prompts that are on their way to their first token. */
  prompts(): boolean;
}

/** Of a run that delays answers: 40 tokens a second come at such distances. */
export const UNNOTICED_MS = 25;

/** For prompts, however short the run before was. */
const LEAST_FOR_PROMPTS_MS = 50;

/** Resolves after at least one turn of the event loop. @param now milliseconds */
export async function fairShare(
  lastRunMs: number,
  others: OtherWork,
  now: () => number = () => performance.now(),
): Promise<void> {
  const began = now();
  const answersUntil = began + lastRunMs - UNNOTICED_MS;
  const promptsUntil = began + Math.max(lastRunMs, LEAST_FOR_PROMPTS_MS);
  const wait = () => (others.prompts() && now() < promptsUntil) || (others.answers() && now() < answersUntil);
  do await turn();
  while (wait());
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
