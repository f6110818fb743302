/**
 * The bytes of all tokens, one behind the other: an array for each of them would take 200 bytes of the heap for the five that
 * a token has.
 *
 *     bytes     t r u e f a l s e …
 *     offsets   0       4         9 …      token 0: 0 up to 4
 */
export class PackedTexts {
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;

  /** @param texts by token id */
  constructor(texts: readonly (Uint8Array | undefined)[]) {
    this.#offsets = new Uint32Array(texts.length + 1);
    for (const [id, text] of texts.entries()) {
      this.#offsets[id + 1] = (this.#offsets[id] ?? 0) + (text?.length ?? 0);
    }
    this.#bytes = new Uint8Array(this.#offsets.at(-1) ?? 0);
    for (const [id, text] of texts.entries())
      if (text !== undefined) this.#bytes.set(text, this.#offsets[id]);
  }

  /** A view; `undefined` for a token that has no bytes, and for an id that there is not. */
  of(id: number): Uint8Array | undefined {
    const from = this.#offsets[id];
    const to = this.#offsets[id + 1];
    return from === undefined || to === undefined || from === to ? undefined : this.#bytes.subarray(from, to);
  }
}
