/** The seam between constraints and the engine: where one answer is in its constraint, and which tokens may come next. */
export interface TokenMatcher {
  /**
   * Bit `t % 32` of word `t >> 5` is set when token `t` may come next; tokens that end the answer among them, where it may
   * end here. At least one bit is set. `[⌈vocabulary / 32⌉]`, not to be changed, valid until the next `accept`.
   */
  mask(): Uint32Array;
  /**
   * The answer goes on with this token.
   *
   * @throws TypeError when it may not come next
   */
  accept(token: number): void;
  /** Tokens that have to come next because there is no choice, in order; empty where there is one. */
  forced(): readonly number[];
}
