/** What an actor's `setup` is given, and what it makes of it: its behaviour, its loops, the load it reports. */
import type { LoadWriter } from '../board/load-board.ts';
import { ActorError, TroupeError } from '../errors.ts';
import type { Methods } from '../protocol.ts';
import type { CellParts } from './actor-cell.ts';
import type { ActorContext } from './actor-context.ts';
import type { Behaviour } from './behaviour.ts';
import type { SelfTimers } from './self-timers.ts';
import { spawning } from './spawning.ts';
import { type Step, StepLoop } from './step-loop.ts';

export type SetUpParts = Pick<
  CellParts,
  | 'name'
  | 'holder'
  | 'deadLetters'
  | 'arenas'
  | 'caches'
  | 'load'
  | 'crash'
  | 'self'
  | 'children'
  | 'inherited'
>;

export class SetUp {
  readonly context: ActorContext;
  readonly loops: StepLoop[] = [];
  readonly stopping = new AbortController();
  behaviour: Behaviour<{ name: string; methods: Methods }> = { handlers: {} };
  reportedRunning = 0;
  onReport = () => {};
  /** There is no mailbox before `setup` has returned. */
  timers: SelfTimers | undefined;

  constructor(parts: SetUpParts) {
    const { name, holder, deadLetters, arenas, caches, load, crash, self, inherited } = parts;
    this.context = {
      get self() {
        return self();
      },
      inherited,
      name,
      holder,
      deadLetters,
      stopping: this.stopping.signal,
      arena: (wanted) => {
        const arena = arenas.get(wanted);
        if (arena !== undefined) return arena;
        throw new TroupeError(`there is no arena "${wanted}"`, { code: 'ARENA_UNKNOWN' });
      },
      cache: (wanted) => {
        const cache = caches.get(wanted);
        if (cache !== undefined) return cache;
        throw new TroupeError(`there is no cache "${wanted}"`, { code: 'CACHE_UNKNOWN' });
      },
      loop: (step) => {
        const loop = new StepLoop(watched(step, load), crash);
        this.loops.push(loop);
        return loop;
      },
      ...spawning(parts, this.stopping.signal),
      after: (ms, method, payload) => this.#needTimers().after(ms, method, payload),
      every: (ms, method, payload) => this.#needTimers().every(ms, method, payload),
      reportLoad: ({ running, freeSlots }) => {
        load.freeSlots(freeSlots);
        this.reportedRunning = running;
        this.onReport();
      },
    };
  }

  #needTimers(): SelfTimers {
    if (this.timers !== undefined) return this.timers;
    throw new ActorError(`${this.context.name} is not set up yet: begin timers in a handler or a loop`, {
      code: 'PROTOCOL_VIOLATION',
    });
  }
}

/** A step that is visible on the load board, so that a stuck one can be told from an idle actor. */
function watched(step: Step, load: LoadWriter): Step {
  return async () => {
    load.beat();
    load.busy();
    try {
      return await step();
    } finally {
      load.idle();
    }
  };
}
