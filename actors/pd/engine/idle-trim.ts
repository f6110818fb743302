/**
 * Gives back the memory of keys and values that ended answers leave behind, once nobody has asked for a while. Not at once:
 * the next batch would have to fault all its pages in again, and batches follow each other closely under load.
 */
import { after } from '../../../runtime/util/timers.ts';

/**
 * Between two batches under load there are milliseconds; between two people's questions, minutes. Taking
 * fresh pages instead costs some 2 % of running a prompt into them.
 */
const IDLE_MS = 1_000;

export class IdleTrim {
  readonly #trim: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(trim: () => void) {
    this.#trim = trim;
  }

  /** There is nothing to do. A process is not kept alive by it. */
  idle(): void {
    this.#timer ??= after(IDLE_MS, () => {
      this.#timer = undefined;
      this.#trim();
    }).unref();
  }

  busy(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
