/** The keys and values of a prompt in memory that two threads use, one at a time. */
export interface SharedPast {
  /** For each layer's keys, and values, in the order of the decoder's inputs: float32 `[1, heads, capacity, headDim]`. */
  readonly memory: readonly SharedArrayBuffer[];
  readonly capacity: number;
  /** Tokens held. */
  readonly length: number;
}
