/**
 * A growable int64 array that is written with plain numbers. onnxruntime takes token ids, masks and positions as
 * `BigInt64Array`; storing through that view allocates a BigInt per element, so writes go through a view of the
 * low and high 32-bit halves of the same memory. Values are integers in [0, 2³¹).
 *
 *     memory   | lo hi | lo hi | lo hi |   little-endian, as on every platform onnxruntime-node is built for
 *     element      0       1       2
 */
export class Int64Buffer {
  #wide = new BigInt64Array(0);
  #halves = new Int32Array(0);

  /** Makes room for `length` elements, and zeroes them. */
  reset(length: number): void {
    if (length > this.#wide.length) {
      const buffer = new ArrayBuffer(
        Math.max(length, 2 * this.#wide.length) * BigInt64Array.BYTES_PER_ELEMENT,
      );
      this.#wide = new BigInt64Array(buffer);
      this.#halves = new Int32Array(buffer);
      return;
    }
    this.#halves.fill(0, 0, 2 * length);
  }

  /** Low half only: the high half is zero since `reset`. */
  set(index: number, value: number): void {
    this.#halves[2 * index] = value;
  }

  /** The first `length` elements, no copy; good until the next `reset`. */
  view(length: number): BigInt64Array {
    return this.#wide.subarray(0, length);
  }
}
