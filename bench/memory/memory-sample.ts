/** One look at everything that holds memory in an engine's process. */
import type { Troupe } from '../../src/index.ts';
import { type ProcessMemory, processMemory } from '../process-memory.ts';
import type { HeapWatch } from './heap-watch.ts';

/** Bytes. */
export interface MemorySample extends ProcessMemory {
  /** Requests that had ended by then. */
  readonly requests: number;
  /** Used in the V8 heaps of all threads. */
  readonly heaps: number;
  /** In use in the tensor arenas. */
  readonly arenas: number;
  /** Of all actors' KV buffers. */
  readonly kv: number;
}

export class SampleTaker {
  readonly #engine: Troupe;
  readonly #heaps: HeapWatch;

  constructor(engine: Troupe, heaps: HeapWatch) {
    this.#engine = engine;
    this.#heaps = heaps;
  }

  async take(requests: number): Promise<MemorySample> {
    const { arenas, actors } = await this.#engine.stats();
    return {
      ...processMemory(),
      requests,
      heaps: await this.#heaps.usedBytes(),
      arenas: arenas.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
      kv: actors.reduce((sum, { stats }) => sum + Number(stats?.kvBytes ?? 0), 0),
    };
  }
}
