/**
 * The streams that a thread reads, and the last actors that ended, with the reasons. Each stream has a cell of shared memory in
 * which stands who writes it, by the holder id: so its reader can be told why it ended, and that it has ended where
 * the port does not close: of an actor whose thread is left behind, alive but lost, and of one that has no thread to itself.
 */
export interface OpenReader {
  /** Of whoever has the writing end, or is sent it; 0 while nobody has. */
  readonly writtenBy: number;
  /** @param isLeft its port will not close */
  onOver(why: Error, isLeft: boolean): void;
}

/** A reader looks here when its port has closed, at about the time when the news comes. */
const REMEMBERED = 64;

export class OpenReaders {
  readonly #readers = new Set<OpenReader>();
  readonly #reasons = new Map<number, Error>();

  add(reader: OpenReader): void {
    this.#readers.add(reader);
  }

  delete(reader: OpenReader): void {
    this.#readers.delete(reader);
  }

  /** The holder is over. */
  over(holder: number, why: Error, isLeft: boolean): void {
    this.#reasons.set(holder, why);
    if (this.#reasons.size > REMEMBERED) {
      const [oldest = holder] = this.#reasons.keys();
      this.#reasons.delete(oldest);
    }
    for (const reader of [...this.#readers]) if (reader.writtenBy === holder) reader.onOver(why, isLeft);
  }

  /** Why the holder is over, as far as is known here. */
  whyOver(holder: number): Error | undefined {
    return this.#reasons.get(holder);
  }
}
