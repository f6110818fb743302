/**
 * One encoded image that the cache and any number of requests share: freed when the cache has dropped it and
 * the last request is done with it. Counted by hand; garbage collection plays no part.
 */
export class SharedEmbedding<E> {
  readonly value: E;
  readonly byteLength: number;
  readonly #free: () => void;
  /** The cache counts as one user. */
  #users = 1;

  constructor(value: E, byteLength: number, free: () => void) {
    this.value = value;
    this.byteLength = byteLength;
    this.#free = free;
  }

  use(): void {
    this.#users += 1;
  }

  done(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#free();
  }
}
