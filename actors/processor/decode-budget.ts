/**
 * Turns at decoding: an image is decoded when the memory that it will take is free, in the order in which images came,
 * whichever thread they came to. Small images have a budget of their own besides, so that they pass the large ones.
 */
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import { InputError } from '../errors.ts';

/** So many large images at most: they may not take all the threads that Node decodes on, of which there are four. */
const LARGE_AT_ONCE = 3;
/** So many small images go at once at least. */
const SMALL_AT_ONCE = 4;

export interface DecodeBudgets {
  readonly any: SharedArena;
  readonly small: SharedArena;
}

export class DecodeBudget {
  readonly #budgets: DecodeBudgets | undefined;
  readonly #holder: number;

  constructor(budgets: DecodeBudgets | undefined, holder: number) {
    this.#budgets = budgets;
    this.#holder = holder;
  }

  /** @throws InputError IMAGE_TOO_LARGE_PIXELS for what can never be decoded here */
  check(bytes: number, field: string, size: { readonly width: number; readonly height: number }): void {
    if (this.#budgets === undefined) return;
    const { capacityBytes } = this.#budgets.any.stats();
    if (bytes <= capacityBytes) return;
    throw new InputError(
      'IMAGE_TOO_LARGE_PIXELS',
      `decoding it takes ${megabytes(bytes)}, of ${megabytes(capacityBytes)}`,
      {
        field,
        value: `${size.width}×${size.height}`,
        remedy: 'Scale the image down, send it as JPEG, or raise limits.memoryBytes.',
      },
    );
  }

  /**
   * Waits for the turn, and calls `work` with that much memory reserved.
   * @throws ActorError `ABORTED` when the signal aborts before the turn
   */
  async run<T>(bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#budgets === undefined) return await work();
    const { any, small } = this.#budgets;
    const isSmall = bytes * SMALL_AT_ONCE <= small.stats().capacityBytes;
    const budget = isSmall ? small : any;
    const share = isSmall ? bytes : Math.max(bytes, Math.floor(any.stats().capacityBytes / LARGE_AT_ONCE));
    const [reserved] = await budget.allocateAll('uint8', [[share]], this.#holder, { signal });
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      if (reserved !== undefined) budget.release(reserved, this.#holder);
    }
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
