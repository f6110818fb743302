/**
 * Array buffers that go back and forth between two threads by transfer. The first write to a fresh buffer is
 * slow, since the system must find and clear every page of it; a buffer that comes back and is used again has
 * its pages already. A pool belongs to one thread; the other side sends buffers back for `recycle`.
 *
 *     class   4 KiB      8 KiB      16 KiB             powers of two, each a stack: what came back last, and
 *             ┌───┐      ┌───┐      ┌───┐              may still be in a CPU cache, is handed out first
 *             │ ▒ │      │ ▒ │      │   │  ── ─ ──
 *             └───┘      │ ▒ │      └───┘
 *                        └───┘
 */
const SMALLEST_BYTES = 4096;
const DEFAULT_MAX_BYTES = 128 * 1024 * 1024;

/** How much a pool keeps. */
export interface BufferPoolOptions {
  /** Most bytes that lie idle in the pool; a buffer over this is left to the garbage collector. Default 128 MiB. */
  readonly maxBytes?: number;
}

/** Array buffers to be transferred to another thread and back, and used again. Belongs to one thread. */
export class BufferPool {
  readonly #maxBytes: number;
  readonly #stacks = new Map<number, ArrayBuffer[]>();
  #idleBytes = 0;

  constructor(options: BufferPoolOptions = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /** Bytes of the buffers that wait to be handed out. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** A buffer of at least `bytes`, rounded up to a power of two. Its content is whatever was there before. */
  acquire(bytes: number): ArrayBuffer {
    const size = sizeClass(bytes);
    const buffer = this.#stacks.get(size)?.pop();
    if (buffer === undefined) return new ArrayBuffer(size);
    this.#idleBytes -= size;
    return buffer;
  }

  /**
   * Takes a buffer that nobody uses any more. False, and the buffer is left alone, when the pool is full or it
   * is none of the pool's sizes (a transferred-away buffer has size 0). Never recycle a buffer twice.
   */
  recycle(buffer: ArrayBuffer): boolean {
    const size = buffer.byteLength;
    if (buffer.resizable || size === 0 || size !== sizeClass(size)) return false;
    if (this.#idleBytes + size > this.#maxBytes) return false;
    let stack = this.#stacks.get(size);
    if (stack === undefined) {
      stack = [];
      this.#stacks.set(size, stack);
    }
    stack.push(buffer);
    this.#idleBytes += size;
    return true;
  }
}

function sizeClass(bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new RangeError(`a buffer's size must be a whole number of bytes, got ${bytes}`);
  }
  let size = SMALLEST_BYTES;
  while (size < bytes) size *= 2;
  return size;
}
