/**
 * What followed which n-gram, in memory of a fixed size: one place for each hash, and the newer n-gram takes the place of
 * the older. What a place says is a guess, and may be of another n-gram with the same hash; the model has the last word.
 *
 * Prompt lookup is by Saxena 2023 ("Prompt Lookup Decoding"); a table that many answers share is llama.cpp's `ngram-mod`.
 */

/** Lengths of the n-grams, from the longest. */
export const ORDERS = [6, 4, 3, 2] as const;
const [LONGEST] = ORDERS;
/** More agreement than this tells no more. */
const MOST_HITS = 7;

export interface Follower {
  readonly token: number;
  /** How often it came in a row, less what came otherwise; 1 to 7. */
  readonly hits: number;
}

export class NgramTable {
  readonly #shift: number;
  readonly #slots: number;
  /** Allocated when something is learnt. */
  #hashes = new Int32Array(0);
  #tokens = new Int32Array(0);
  #hits = new Uint8Array(0);

  /** @param bits so many places to the power of two: nine bytes each */
  constructor(bits: number) {
    this.#shift = 32 - bits;
    this.#slots = 2 ** bits;
  }

  get bytes(): number {
    return this.#hashes.byteLength + this.#tokens.byteLength + this.#hits.byteLength;
  }

  /** @returns undefined where nothing is known of it */
  after(hash: number): Follower | undefined {
    const at = hash >>> this.#shift;
    const hits = this.#hits[at] ?? 0;
    if (hits === 0 || this.#hashes[at] !== hash) return undefined;
    return { token: this.#tokens[at] ?? 0, hits };
  }

  learn(hash: number, token: number): void {
    if (this.#hits.length === 0) this.#allocate();
    const at = hash >>> this.#shift;
    const hits = this.#hits[at] ?? 0;
    const known = hits > 0 && this.#hashes[at] === hash;
    if (known && this.#tokens[at] === token) this.#hits[at] = Math.min(MOST_HITS, hits + 1);
    else if (known && hits > 1) this.#hits[at] = hits >> 1;
    else {
      this.#hashes[at] = hash;
      this.#tokens[at] = token;
      this.#hits[at] = 1;
    }
  }

  clear(): void {
    this.#hashes = new Int32Array(0);
    this.#tokens = new Int32Array(0);
    this.#hits = new Uint8Array(0);
  }

  #allocate(): void {
    this.#hashes = new Int32Array(this.#slots);
    this.#tokens = new Int32Array(this.#slots);
    this.#hits = new Uint8Array(this.#slots);
  }
}

/** The newest tokens of a text, and the hashes of the n-grams that end with the last of them. */
export class NgramTail {
  readonly #tokens: number[];

  constructor(tokens: readonly number[] = []) {
    this.#tokens = tokens.slice(-LONGEST);
  }

  push(token: number): void {
    this.#tokens.push(token);
    if (this.#tokens.length > LONGEST) this.#tokens.shift();
  }

  clear(): void {
    this.#tokens.length = 0;
  }

  copy(): NgramTail {
    return new NgramTail(this.#tokens);
  }

  /** @returns int32; undefined while there are fewer tokens */
  hash(order: number): number | undefined {
    const from = this.#tokens.length - order;
    if (from < 0) return undefined;
    let hash = order;
    // MurmurHash3's mixing (Appleby 2011), which spreads small numbers over all bits.
    for (let i = from; i < this.#tokens.length; i++) {
      let word = Math.imul(this.#tokens[i] ?? 0, 0xcc9e2d51);
      word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
      hash ^= word;
      hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) | 0;
  }
}
