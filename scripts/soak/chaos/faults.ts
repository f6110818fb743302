/** Faults that strike an actor's thread from inside, wherever it is between two turns of its event loop. */
import { syncBuiltinESMExports } from 'node:module';
import threads, { BroadcastChannel, type WorkerOptions } from 'node:worker_threads';

export const FAULTS = ['throw', 'rejection', 'exit', 'heap', 'loop'] as const;
export type Fault = (typeof FAULTS)[number];

/** Enough for every actor of the embedded model, and soon filled. */
const HEAP_MB = 192;

const IN_THREAD = new URL('./fault-in-thread.js', import.meta.url).href;

/** Threads that are made from now on can be struck, and have a small heap. To be called before any is made. */
export function makeThreadsVulnerable(): void {
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      super(file, {
        ...options,
        execArgv: [...(options.execArgv ?? process.execArgv), '--import', IN_THREAD],
        resourceLimits: { ...options.resourceLimits, maxOldGenerationSizeMb: HEAP_MB },
      });
    }
  };
  syncBuiltinESMExports();
}

export class Striker {
  readonly #orders = new BroadcastChannel('chaos');

  strike(actor: string, fault: Fault): void {
    this.#orders.postMessage({ actor, fault });
  }

  close(): void {
    this.#orders.close();
  }
}

/** What an actor died of, by what its death says. */
export function causeOf(error: Error): Fault | 'other' {
  const text = `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`;
  if (text.includes('chaos: thrown')) return 'throw';
  if (text.includes('chaos: rejected')) return 'rejection';
  if (text.includes('exit code 3')) return 'exit';
  if (text.includes('memory limit')) return 'heap';
  return text.includes('hung') ? 'loop' : 'other';
}
