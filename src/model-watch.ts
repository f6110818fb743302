/**
 * Looks, every few seconds, whether the model's files are still what the engine was started with. A file that was written
 * to in place is what the actors have mapped: what they answer from then on mixes two revisions.
 */
import { type FileChange, type FileStamp, findChange } from '../actors/model/file-stamps.ts';

const EVERY_MS = 2_000;

export class ModelWatch {
  readonly #stamps: readonly FileStamp[];
  readonly #onChange: (change: FileChange) => void;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  /** @param onChange called once, at the first change */
  constructor(stamps: readonly FileStamp[], onChange: (change: FileChange) => void) {
    this.#stamps = stamps;
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.look(), EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const change = await findChange(this.#stamps);
    this.#isLooking = false;
    if (change === undefined || this.#timer === undefined) return;
    this.stop();
    this.#onChange(change);
  }
}
