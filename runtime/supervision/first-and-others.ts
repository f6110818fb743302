/**
 * The order within a pool. The first member begins before the others, which begin together, and its thread ends after theirs: it is the
 * one that may be larger, and of malloc's arenas it is to find its own again (see `system/start-in-turn.ts`). The others are alike.
 */
import type { Child } from './child.ts';

/** When the threads of a pool may end that has stopped. */
export interface EndTurn {
  /** The pool's turn has come. */
  readonly turn: Promise<void>;
  /** It is too late to wait for anybody. */
  readonly late: Promise<void>;
}

/** Resolves when all have threads, or will never have. @returns what each one's start comes to */
export async function beginInOrder(
  children: readonly Pick<Child, 'start' | 'begun'>[],
): Promise<readonly Promise<void>[]> {
  const [first, ...others] = children;
  const up = first?.start() ?? Promise.resolve();
  const over = up.catch(() => {}); // heard of when the others have begun
  await Promise.race([first?.begun, over]);
  return [up, ...others.map((child) => child.start())];
}

/**
 * @param threads when those may end. Without it each ends by itself
 * @param stop stops one, whose thread then waits for `mayEnd`
 */
export async function stopInOrder<Stopped extends Child, End>(
  children: readonly Stopped[],
  threads: EndTurn | undefined,
  stop: (child: Stopped, mayEnd: Promise<void> | undefined) => Promise<End>,
): Promise<End[]> {
  const [first, ...others] = children;
  if (first === undefined) return [];
  const mayEnd = (turn: Promise<void> | undefined) =>
    threads && Promise.race([turn, threads.late]).then(() => {});
  const ends = others.map((child) => stop(child, mayEnd(threads?.turn)));
  const afterOthers = threads?.turn.then(() => Promise.all(ends)).then(() => {});
  return await Promise.all([stop(first, mayEnd(afterOthers)), ...ends]);
}
