/**
 * Whether a vision graph that is told where each image ends keeps them apart. Exports that were traced with one image take
 * several without a word and mix them. So the first images that share a run are also encoded alone, and compared.
 */

/**
 * Of the largest value. Other batches round otherwise, half precision by a thousandth; images that see each other, or scales of
 * quantization that they share, move far more.
 */
const TOLERANCE = 0.01;

export class JoinTrial {
  #passed: boolean | undefined;

  /** @param allowed whether images may be joined at all */
  constructor(allowed: boolean) {
    this.#passed = allowed ? undefined : false;
  }

  /** Whether the next images may share a run. */
  get mayJoin(): boolean {
    return this.#passed !== false;
  }

  /** Whether those that share a run are to be encoded alone as well. */
  get open(): boolean {
    return this.#passed === undefined;
  }

  /** What the same image became in both ways; every one of the trial's run. */
  compare(pairs: readonly { readonly together: Float32Array; readonly alone: Float32Array }[]): void {
    this.#passed = pairs.every(({ together, alone }) => agree(together, alone));
  }

  /** The graph failed on images together. */
  fail(): void {
    this.#passed = false;
  }
}

function agree(together: Float32Array, alone: Float32Array): boolean {
  let largest = 0;
  let distance = 0;
  for (const [i, value] of alone.entries()) {
    largest = Math.max(largest, Math.abs(value));
    distance = Math.max(distance, Math.abs(value - (together[i] ?? Number.NaN)));
  }
  return distance <= TOLERANCE * largest;
}
