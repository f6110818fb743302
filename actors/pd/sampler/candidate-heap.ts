/**
 * The tokens of a vocabulary in order of falling weight, found lazily: a binary max-heap built in O(vocabulary),
 * one O(log vocabulary) pop per token asked for. Nucleus sampling usually needs a handful of 50,000 tokens, so
 * nothing is ever sorted whole. Among equal weights the lowest index comes first.
 */
export class CandidateHeap {
  readonly #weights: Float64Array;
  readonly #heap: Uint32Array;
  #size: number;

  /** @param weights `[vocabulary]`, read and not changed; NaN-free */
  constructor(weights: Float64Array) {
    this.#weights = weights;
    this.#size = weights.length;
    this.#heap = new Uint32Array(this.#size);
    for (let i = 0; i < this.#size; i++) this.#heap[i] = i;
    for (let i = (this.#size >>> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  /** Removes and returns the index of the largest weight left; -1 when none is. */
  pop(): number {
    const top = this.#heap[0];
    if (this.#size === 0 || top === undefined) return -1;
    this.#size -= 1;
    this.#heap[0] = this.#heap[this.#size] ?? 0;
    this.#sink(0);
    return top;
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const moving = heap[start] ?? 0;
    let hole = start;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#before(heap[child + 1] ?? 0, heap[child] ?? 0)) child += 1;
      const candidate = heap[child] ?? 0;
      if (!this.#before(candidate, moving)) break;
      heap[hole] = candidate;
      hole = child;
    }
    heap[hole] = moving;
  }

  #before(left: number, right: number): boolean {
    const difference = (this.#weights[left] ?? 0) - (this.#weights[right] ?? 0);
    return difference > 0 || (difference === 0 && left < right);
  }
}
