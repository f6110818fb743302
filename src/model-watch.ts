/**
 * Looks, every few seconds, whether the model's files are still what the engine was started with. Where actors have a file
 * mapped that was written to in place, what they answer from then on mixes two revisions. It also says, from time to time,
 * which entries of the graph cache are in use.
 */
import { type FileChange, type FileStamp, findChange } from '../actors/model/file-stamps.ts';
import { used } from '../actors/model/graph-cache.ts';

const EVERY_MS = 2_000;
/** Entries may be removed that were not used for a day. */
const IN_USE_EVERY_MS = 3_600_000;

export interface Watched {
  readonly stamps: readonly FileStamp[];
  /** Entries of the graph cache that are in use. */
  readonly cacheFolders: readonly string[];
}

export class ModelWatch {
  readonly #watched: Watched;
  readonly #onChange: (change: FileChange) => void;
  readonly #inUse: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  /** @param onChange called once, at the first change */
  constructor(watched: Watched, onChange: (change: FileChange) => void) {
    this.#watched = watched;
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.look(), EVERY_MS);
    this.#timer.unref();
    this.#inUse = setInterval(() => void this.#sayInUse(), IN_USE_EVERY_MS);
    this.#inUse.unref();
  }

  stop(): void {
    clearInterval(this.#inUse);
    this.#endLooking();
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const change = await findChange(this.#watched.stamps);
    this.#isLooking = false;
    if (change === undefined || this.#timer === undefined) return;
    this.#endLooking();
    this.#onChange(change);
  }

  #endLooking(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #sayInUse(): Promise<void> {
    for (const folder of this.#watched.cacheFolders) await used(folder);
  }
}
