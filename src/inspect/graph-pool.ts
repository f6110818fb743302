/** Threads that read, rewrite and copy graph files: parsing a large protobuf would block the caller's. */
import { availableParallelism } from 'node:os';
import { WorkerPool } from '../../actors/worker-pool.ts';
import { moduleBeside } from '../../runtime/module-beside.ts';
import type { Outcome } from '../../runtime/thread/thread-control.ts';
import type * as worker from './graph-worker.ts';

type Jobs = typeof worker;
type JobName = keyof Jobs;
type ResultOf<Name extends JobName> = Awaited<ReturnType<Jobs[Name]>> extends Outcome<infer T> ? T : never;

/** Vision, embedding, decoder. */
const GRAPHS = 3;

export class GraphPool {
  readonly #pool: WorkerPool;

  private constructor(pool: WorkerPool) {
    this.#pool = pool;
  }

  /**
   * @param module the worker's, for tests of one that cannot begin
   * @throws TroupeError `BUNDLED`
   */
  static async open(module = moduleBeside(import.meta.url, './graph-worker').href): Promise<GraphPool> {
    // Not before it is known that this is no bundle: some cannot even load it.
    const { Piscina } = await import('piscina');
    const maxThreads = Math.min(GRAPHS, availableParallelism());
    const open = () => new Piscina({ filename: module, minThreads: 0, maxThreads, recordTiming: false });
    return new GraphPool(new WorkerPool(open, 'reads model files'));
  }

  /** @throws what the job throws; TroupeError `BUNDLED` or `THREAD_FAILED` when no thread can take it */
  async run<Name extends JobName>(name: Name, input: Parameters<Jobs[Name]>[0]): Promise<ResultOf<Name>> {
    return await this.#pool.run<ResultOf<Name>>(name, input);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
