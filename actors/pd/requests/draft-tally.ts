/** Which tokens of an answer were drafted, and whether they came: counted as they come, so that it is known when it ends. */
export class DraftTally {
  #accepted = 0;
  #rejected = 0;
  #expected: readonly number[] = [];
  #place = 0;
  #forced = 0;

  /** Drafted tokens that came. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Drafted tokens that were run for nothing. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Tokens of the current draft that came, forced ones included. */
  get place(): number {
    return this.#place;
  }

  /** @param forced how many of them, the first ones, had no alternative: they are not counted */
  begin(tokens: readonly number[], forced: number): void {
    this.#expected = tokens;
    this.#forced = forced;
    this.#place = 0;
  }

  /** @param counted whether it is a part of the answer; a token that ends it is not, nor was it run for nothing */
  note(token: number, counted: boolean): void {
    if (this.#expected[this.#place] !== token) this.end();
    else {
      if (this.#place >= this.#forced && counted) this.#accepted += 1;
      this.#place += 1;
    }
  }

  /** Nobody looks at what is left of the draft. */
  end(): void {
    this.#rejected += Math.max(0, this.#expected.length - Math.max(this.#place, this.#forced));
    this.#expected = [];
  }
}
