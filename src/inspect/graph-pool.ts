/**
 * Threads that read, rewrite and copy graph files: parsing a large protobuf would block the caller's. One begins when the one before
 * runs, and they end in reverse order, for the reason that `runtime/system/start-in-turn.ts` gives: actors come next.
 */
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

interface GraphThread {
  readonly pool: WorkerPool;
  /** In progress. */
  jobs: number;
  /** It has begun, or cannot. */
  isUp: boolean;
}

export class GraphPool {
  readonly #open: (onUp: () => void) => WorkerPool;
  readonly #threads: GraphThread[] = [];
  readonly #most = Math.min(GRAPHS, availableParallelism());
  /** A thread has begun, or has done a job. */
  #changed = Promise.withResolvers<void>();
  #closed = false;

  private constructor(open: (onUp: () => void) => WorkerPool) {
    this.#open = open;
  }

  /**
   * @param module the worker's, for tests of one that cannot begin
   * @throws TroupeError `BUNDLED`
   */
  static async open(module = moduleBeside(import.meta.url, './graph-worker').href): Promise<GraphPool> {
    // Not before it is known that this is no bundle: some cannot even load it.
    const { Piscina } = await import('piscina');
    const threads = {
      filename: module,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Infinity,
      recordTiming: false,
    };
    return new GraphPool(
      (onUp) => new WorkerPool(() => new Piscina(threads).once('workerCreate', onUp), 'reads model files'),
    );
  }

  /** @throws what the job throws; TroupeError `BUNDLED` or `THREAD_FAILED` when no thread can take it */
  async run<Name extends JobName>(name: Name, input: Parameters<Jobs[Name]>[0]): Promise<ResultOf<Name>> {
    const thread = await this.#taken();
    try {
      return await thread.pool.run<ResultOf<Name>>(name, input);
    } finally {
      thread.jobs -= 1;
      thread.isUp = true;
      this.#change();
    }
  }

  /** Jobs in progress, and those that wait, fail. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#change();
    for (const { pool } of this.#threads.toReversed()) await pool.close();
  }

  /** One that is idle, else another one, as long as there may be. */
  async #taken(): Promise<GraphThread> {
    for (;;) {
      if (this.#closed) throw new Error('the threads that read model files have ended');
      const thread = this.#threads.find(({ jobs }) => jobs === 0) ?? this.#another();
      if (thread !== undefined) {
        thread.jobs += 1;
        return thread;
      }
      await this.#changed.promise;
    }
  }

  #another(): GraphThread | undefined {
    if (this.#threads.length === this.#most || this.#threads.at(-1)?.isUp === false) return undefined;
    const pool = this.#open(() => {
      thread.isUp = true;
      this.#change();
    });
    const thread: GraphThread = { pool, jobs: 0, isUp: false };
    this.#threads.push(thread);
    return thread;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
