/** Threads that read and rewrite graph files: parsing a large protobuf would block the caller's. */
import { availableParallelism } from 'node:os';
import type { Piscina } from 'piscina';
import type { TroupeError } from '../../runtime/errors.ts';
import { bundled, moduleBeside } from '../../runtime/module-beside.ts';
import { type Outcome, unwrap } from '../../runtime/thread/thread-control.ts';
import { errorCodeOf } from '../../runtime/util/realms.ts';
import { threadFailed } from '../start-checks.ts';
import type * as worker from './graph-worker.ts';

type Jobs = typeof worker;
type JobName = keyof Jobs;
type ResultOf<Name extends JobName> = Awaited<ReturnType<Jobs[Name]>> extends Outcome<infer T> ? T : never;

/** Vision, embedding, decoder. */
const GRAPHS = 3;

export class GraphPool {
  readonly #pool: Piscina;
  /** A thread that cannot begin, or dies between jobs: piscina starts no other, and what waits would wait for ever. */
  readonly #broken = Promise.withResolvers<never>();

  private constructor(pool: Piscina) {
    this.#pool = pool;
    this.#broken.promise.catch(() => {}); // whoever runs a job hears of it
    pool.on('error', (cause: unknown) => this.#broken.reject(notStarted(cause)));
  }

  /**
   * @param module the worker's, for tests of one that cannot begin
   * @throws TroupeError `BUNDLED`
   */
  static async open(module = moduleBeside(import.meta.url, './graph-worker').href): Promise<GraphPool> {
    // Not before it is known that this is no bundle: some cannot even load it.
    const { Piscina } = await import('piscina');
    const maxThreads = Math.min(GRAPHS, availableParallelism());
    return new GraphPool(new Piscina({ filename: module, minThreads: 0, maxThreads }));
  }

  /** @throws what the job throws; TroupeError `BUNDLED` or `THREAD_FAILED` when no thread can take it */
  async run<Name extends JobName>(name: Name, input: Parameters<Jobs[Name]>[0]): Promise<ResultOf<Name>> {
    const outcome: Outcome<ResultOf<Name>> = await Promise.race([
      this.#pool.run(input, { name }),
      this.#broken.promise,
    ]);
    return unwrap(outcome);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

function notStarted(cause: unknown): TroupeError {
  const code = errorCodeOf(cause);
  // Its own first module is left behind by a bundler, too.
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')
    return bundled('module that threads of piscina begin with', cause);
  return threadFailed(cause);
}
