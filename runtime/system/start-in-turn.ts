/**
 * Starts pools one after another as far as their threads go: those of a pool begin when those of the pool before run. What
 * they do then, they do together, so a start takes hardly longer.
 *
 * It is for glibc's sake. A thread that begins takes the arena of malloc that was given back last, and gives it back when
 * it ends. Pools end in reverse order (`stop-in-turn.ts`); with a fixed order here the next system's actors get the arenas
 * of those before them, and the one that loads weights gets the one that has grown already. Otherwise every arena grows to
 * what the largest actor takes, sooner or later, in a process whose systems come and go.
 */
import { stoppedError } from '../errors.ts';
import type { Group } from '../supervision/group.ts';

export class StartInTurn {
  /** Ends when the threads of whoever asked last run. */
  #turn: Promise<void> | undefined;

  /**
   * @param start called at once when nobody is before; `group.begun` says when its threads run
   * @throws what `start` rejects with; ActorError `ACTOR_STOPPED` when the pool was stopped before its turn
   */
  async run(group: Pick<Group, 'name' | 'isOver' | 'begun'>, start: () => Promise<void>): Promise<void> {
    const before = this.#turn;
    const { promise: turn, resolve } = Promise.withResolvers<void>();
    this.#turn = turn;
    const begun = () => {
      if (this.#turn === turn) this.#turn = undefined;
      resolve();
    };
    try {
      if (before !== undefined) await before;
      if (group.isOver) throw stoppedError(group.name);
      const started = start();
      void group.begun.then(begun);
      await started;
    } finally {
      begun();
    }
  }
}
