/** The bytes of a body, as they came: in few pieces, however many they came in, each in memory of its own. */

/** A piece of this size is kept as it is; smaller ones are put together, since each costs memory beside its bytes. */
const PIECE_BYTES = 16 * 1024;

export class ReceivedBody {
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** The last piece, in part free. */
  #open = new Uint8Array(0);
  #used = 0;
  #size = 0;
  /** Why it is not here. */
  refusal: unknown;

  get size(): number {
    return this.#size;
  }

  push(chunk: Uint8Array<ArrayBuffer>): void {
    this.#size += chunk.length;
    if (chunk.length >= PIECE_BYTES) {
      this.#seal();
      const whole = chunk.length === chunk.buffer.byteLength;
      // Not a Buffer, which the other thread would not get as one.
      this.#pieces.push(whole ? new Uint8Array(chunk.buffer) : new Uint8Array(chunk));
      return;
    }
    if (chunk.length > this.#open.length - this.#used) {
      this.#seal();
      this.#open = new Uint8Array(PIECE_BYTES);
    }
    this.#open.set(chunk, this.#used);
    this.#used += chunk.length;
  }

  /** What has come; it is then the caller's, and gone from here. */
  take(): Uint8Array<ArrayBuffer>[] {
    this.#seal();
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  /** Frees its memory at once; the collector sees only how small the pieces are that hold it. */
  drop(): void {
    for (const { buffer } of this.#pieces) buffer.transfer(0);
    this.#pieces = [];
    this.#open = new Uint8Array(0);
    this.#used = 0;
  }

  #seal(): void {
    if (this.#used > 0) this.#pieces.push(this.#open.slice(0, this.#used));
    this.#open = new Uint8Array(0);
    this.#used = 0;
  }
}
