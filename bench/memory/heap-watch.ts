/** The V8 heaps of this process: the main thread's, and of every worker started since the watch began. */
import process from 'node:process';
import { getHeapStatistics } from 'node:v8';
import type { Worker } from 'node:worker_threads';

export class HeapWatch {
  readonly #workers = new Set<Worker>();

  constructor() {
    process.on('worker', this.#add);
  }

  /** Bytes in use in all heaps. A worker that is in native code answers when it is back. */
  async usedBytes(): Promise<number> {
    const heaps = await Promise.all([...this.#workers].map((worker) => worker.getHeapStatistics()));
    return heaps.reduce((sum, heap) => sum + heap.used_heap_size, getHeapStatistics().used_heap_size);
  }

  stop(): void {
    process.off('worker', this.#add);
  }

  readonly #add = (worker: Worker): void => {
    this.#workers.add(worker);
    worker.once('exit', () => this.#workers.delete(worker));
  };
}
