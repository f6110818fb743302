/** The thread that hashes what was downloaded. */

import { WorkerPool } from '../../actors/worker-pool.ts';
import { moduleBeside } from '../../runtime/module-beside.ts';
import type { FileToHash } from './hash-worker.ts';

export class HashPool {
  readonly #pool: WorkerPool;

  private constructor(pool: WorkerPool) {
    this.#pool = pool;
  }

  /** @throws TroupeError `BUNDLED` */
  static async open(): Promise<HashPool> {
    const module = moduleBeside(import.meta.url, './hash-worker').href;
    const { Piscina } = await import('piscina');
    const open = () => new Piscina({ filename: module, minThreads: 0, maxThreads: 2, recordTiming: false });
    return new HashPool(new WorkerPool(open, 'hashes files'));
  }

  /** Hex. @throws the system's error when the file cannot be read */
  async hash(file: FileToHash): Promise<string> {
    return await this.#pool.run<string>('hashFile', file);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
