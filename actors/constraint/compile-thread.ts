/**
 * The thread that compiles large constraints for one processor: begun for the first, ended when it has had nothing to do for
 * a while. One job at a time, in the order in which they came, each within a time and a memory; a job that nobody waits for
 * any more is left out, and one that has begun is finished: ending the thread would cost those behind it more.
 */
import { moduleBeside } from '../../runtime/module-beside.ts';
import { errorCodeOf } from '../../runtime/util/realms.ts';
import { timeoutSignal } from '../../runtime/util/timers.ts';
import type { InputError } from '../errors.ts';
import { WorkerPool } from '../worker-pool.ts';
import type { ConstraintToCompile } from './compile-for-answers.ts';
import type * as worker from './compile-worker.ts';
import type { FailureToBlame } from './compile-worker.ts';
import type { CompiledConstraint } from './compiled-constraint.ts';
import { constraintError } from './constraint-errors.ts';

/** Hundreds of times what the steps of compiling take: on a machine where twenty wait for each core they have taken 12 s. */
const MOST_MS = 60_000;
/** Four times the heap that the steps of compiling have been seen to take. */
const OLD_GENERATION_MB = 384;
const YOUNG_GENERATION_MB = 16;
const IDLE_MS = 60_000;

export interface CompileThreadOptions {
  /** The worker's, for tests of one that never ends. */
  readonly module?: string;
  /** Aborts when a job has taken too long. */
  readonly timeLimit?: () => AbortSignal;
}

export class CompileThread {
  readonly #module: string;
  readonly #timeLimit: () => AbortSignal;
  #pool: Promise<WorkerPool> | undefined;
  /** Settles when the last job that was taken on is over. */
  #last: Promise<unknown> = Promise.resolve();

  /** @throws TroupeError `BUNDLED` */
  constructor({ module, timeLimit = () => timeoutSignal(MOST_MS) }: CompileThreadOptions = {}) {
    this.#module = module ?? moduleBeside(import.meta.url, './compile-worker').href;
    this.#timeLimit = timeLimit;
  }

  /**
   * @param isWanted asked when its turn comes
   * @returns undefined when it was not wanted any more
   * @throws InputError CONSTRAINT_INVALID, CONSTRAINT_UNSUPPORTED; CONSTRAINT_TOO_LARGE, also when it takes too long or too
   *   much memory; TroupeError `THREAD_FAILED`
   */
  async compile(task: ConstraintToCompile, isWanted: () => boolean): Promise<CompiledConstraint | undefined> {
    return await this.#inTurn<CompiledConstraint>('compile', task, isWanted);
  }

  /** @throws InputError what is wrong, in the caller's own words */
  async blame(task: FailureToBlame, isWanted: () => boolean): Promise<void> {
    await this.#inTurn<never>('blame', task, isWanted);
  }

  async close(): Promise<void> {
    await (await this.#pool)?.close();
  }

  async #inTurn<Result>(name: keyof typeof worker, task: unknown, isWanted: () => boolean) {
    const job = this.#last.then(() => (isWanted() ? this.#run<Result>(name, task) : undefined));
    this.#last = job.catch(() => undefined);
    return await job;
  }

  async #run<Result>(name: keyof typeof worker, task: unknown): Promise<Result> {
    this.#pool ??= this.#open();
    const pool = await this.#pool;
    const signal = this.#timeLimit();
    try {
      return await pool.run<Result>(name, task, { signal });
    } catch (error) {
      if (signal.aborted) throw tooLarge('takes too long to compile');
      if (errorCodeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY')
        throw tooLarge('takes too much memory to compile');
      throw error;
    }
  }

  async #open(): Promise<WorkerPool> {
    const { Piscina } = await import('piscina');
    const threads = {
      filename: this.#module,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      recordTiming: false,
      resourceLimits: {
        maxOldGenerationSizeMb: OLD_GENERATION_MB,
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
      },
    };
    return new WorkerPool(() => new Piscina(threads), 'compiles constraints');
  }
}

function tooLarge(problem: string): InputError {
  const remedy = 'Make it smaller: fewer alternatives, shorter repetitions, simpler patterns.';
  return constraintError({ code: 'CONSTRAINT_TOO_LARGE', field: 'constraint', problem, value: null, remedy });
}
