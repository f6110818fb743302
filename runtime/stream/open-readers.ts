/**
 * The streams that a thread reads. Each has a cell of shared memory in which whoever writes it leaves its holder id; so
 * when an actor's thread is left behind, alive but lost, its readers can be told. (A thread that ends closes its ports.)
 */
export interface OpenReader {
  /** Of whoever has the writing end; 0 while nobody has. */
  readonly writtenBy: number;
  onLost(): void;
}

export class OpenReaders {
  readonly #readers = new Set<OpenReader>();

  add(reader: OpenReader): void {
    this.#readers.add(reader);
  }

  delete(reader: OpenReader): void {
    this.#readers.delete(reader);
  }

  /** The holder is lost. */
  lost(holder: number): void {
    for (const reader of [...this.#readers]) if (reader.writtenBy === holder) reader.onLost();
  }
}
