/** Threads of piscina for jobs that would hold up the caller's. Their modules export functions that resolve to an `Outcome`. */
import type { Transferable } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { TroupeError } from '../runtime/errors.ts';
import { bundled } from '../runtime/module-beside.ts';
import { type Outcome, unwrap } from '../runtime/thread/thread-control.ts';
import { errorCodeOf, messageOf } from '../runtime/util/realms.ts';

/** Threads of one pool, until one of them ends by itself. */
interface Crew {
  readonly pool: Piscina;
  /** A thread could not begin, or died between jobs: what waits for it would wait for ever. */
  readonly broken: Promise<never>;
}

export interface JobOptions {
  readonly transferList?: Transferable[];
  readonly signal?: AbortSignal;
}

export class WorkerPool {
  readonly #open: () => Piscina;
  readonly #work: string;
  #crew: Crew | undefined;
  #closing = false;

  /**
   * @param open begins a pool: now, and again after a thread of the last one has failed
   * @param work what the threads do, for the error of one that cannot start: `reads model files`
   */
  constructor(open: () => Piscina, work: string) {
    this.#open = open;
    this.#work = work;
    this.#crew = this.#begin();
  }

  /**
   * @param options.transferList handed over with the input, and not copied
   * @param options.signal ends the thread when the job is in progress
   * @throws what the job throws; the signal's reason; `ERR_WORKER_OUT_OF_MEMORY`; TroupeError `BUNDLED` or `THREAD_FAILED`
   *   when no thread can take it
   */
  async run<Result>(name: string, input: unknown, options: JobOptions = {}): Promise<Result> {
    this.#crew ??= this.#begin();
    const { pool, broken } = this.#crew;
    const outcome: Outcome<Result> = await Promise.race([this.#post(pool, name, input, options), broken]);
    return unwrap(outcome);
  }

  #begin(): Crew {
    const pool = this.#open();
    const { promise: broken, reject } = Promise.withResolvers<never>();
    broken.catch(() => {}); // whoever runs a job hears of it
    const crew = { pool, broken };
    pool.on('error', (cause: unknown) => {
      reject(notStarted(this.#work, cause));
      // What failed once may have been for want of something; those who come next are not to pay for it.
      if (this.#crew === crew) this.#crew = undefined;
      if (!this.#closing) void pool.destroy();
    });
    return crew;
  }

  /** What a job throws is in its outcome; so what fails here is the thread. */
  async #post(pool: Piscina, name: string, input: unknown, { transferList = [], signal }: JobOptions) {
    try {
      return await pool.run(input, { name, transferList, ...(signal === undefined ? {} : { signal }) });
    } catch (cause) {
      signal?.throwIfAborted();
      if (this.#closing || errorCodeOf(cause) === 'ERR_WORKER_OUT_OF_MEMORY') throw cause;
      throw notStarted(this.#work, cause);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#crew?.pool.destroy();
  }
}

function notStarted(work: string, cause: unknown): TroupeError {
  const code = errorCodeOf(cause);
  // Its own first module is left behind by a bundler, too.
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')
    return bundled('module that threads of piscina begin with', cause);
  const remedy = 'Allow the process more open files (ulimit -n), threads or memory';
  return new TroupeError(`a thread that ${work} could not be started (${messageOf(cause)}). ${remedy}`, {
    code: 'THREAD_FAILED',
    details: { remedy },
    cause,
  });
}
