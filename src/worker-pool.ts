/** Threads of piscina for jobs that would hold up the caller's. Their modules export functions that resolve to an `Outcome`. */
import type { Transferable } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { TroupeError } from '../runtime/errors.ts';
import { bundled } from '../runtime/module-beside.ts';
import { type Outcome, unwrap } from '../runtime/thread/thread-control.ts';
import { errorCodeOf } from '../runtime/util/realms.ts';
import { threadFailed } from './start-checks.ts';

export class WorkerPool {
  readonly #pool: Piscina;
  readonly #work: string;
  #closing = false;
  /** A thread that cannot begin, or dies between jobs: piscina starts no other, and what waits would wait for ever. */
  readonly #broken = Promise.withResolvers<never>();

  /** @param work what the threads do, for the error of one that cannot start: `reads model files` */
  constructor(pool: Piscina, work: string) {
    this.#pool = pool;
    this.#work = work;
    this.#broken.promise.catch(() => {}); // whoever runs a job hears of it
    pool.on('error', (cause: unknown) => this.#broken.reject(notStarted(work, cause)));
  }

  /**
   * @param transferList handed over with the input, and not copied
   * @throws what the job throws; TroupeError `BUNDLED` or `THREAD_FAILED` when no thread can take it
   */
  async run<Result>(name: string, input: unknown, transferList: Transferable[] = []): Promise<Result> {
    const outcome: Outcome<Result> = await Promise.race([
      this.#post(name, input, transferList),
      this.#broken.promise,
    ]);
    return unwrap(outcome);
  }

  /** What a job throws is in its outcome; so what fails here is the thread. */
  async #post(name: string, input: unknown, transferList: Transferable[]) {
    try {
      return await this.#pool.run(input, { name, transferList });
    } catch (cause) {
      if (this.#closing || errorCodeOf(cause) === 'ERR_WORKER_OUT_OF_MEMORY') throw cause;
      throw notStarted(this.#work, cause);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#pool.destroy();
  }
}

function notStarted(work: string, cause: unknown): TroupeError {
  const code = errorCodeOf(cause);
  // Its own first module is left behind by a bundler, too.
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')
    return bundled('module that threads of piscina begin with', cause);
  return threadFailed(work, cause);
}
