/**
 * How long a thread goes on staying awake although that is in vain now and then: garbage is collected, and others compute. It
 * ends at once when the system took a processor away meanwhile: then there is other work, and threads had better sleep.
 */

/** So many vain moments, more than one in `FORGIVEN`. */
const MOST_VAIN = 2;
const FORGIVEN = 256;
/** Exchanges until it is tried again; twice as many after each failure. */
const FIRST_PAUSE = 64;
const LONGEST_PAUSE = 8_192;
/** After so many exchanges it is not for what came before that it ends. */
const LASTING = 1_024;

export class Patience {
  readonly #preemptions: () => number;
  /** As they stood at the beginning. */
  #before = 0;
  #vain = 0;
  #lasted = 0;
  #pause = FIRST_PAUSE;
  #untilReady = 0;
  #isBegun = false;

  constructor(preemptions: () => number) {
    this.#preemptions = preemptions;
  }

  /** The thread is going to stay awake. */
  begin(): void {
    this.#before = this.#preemptions();
    this.#vain = 0;
    this.#lasted = 0;
    this.#isBegun = true;
  }

  /** An exchange is over. @param isVain nothing came while the thread was awake */
  note(isVain: boolean): void {
    this.#lasted += 1;
    if (this.#lasted === LASTING) this.#pause = FIRST_PAUSE;
    this.#vain = isVain ? this.#vain + 1 : Math.max(0, this.#vain - 1 / FORGIVEN);
    if (isVain && this.#preemptions() !== this.#before) this.#vain = Number.POSITIVE_INFINITY;
  }

  get isOver(): boolean {
    return this.#vain > MOST_VAIN;
  }

  /** Exchanges until it is to be tried again. */
  giveUp(): number {
    const pause = this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE, pause * 2);
    this.#isBegun = false;
    return pause;
  }

  /** Whether the thread is to stay awake for another exchange; to be asked once for each where nobody else counts them. */
  isReady(): boolean {
    if (this.#isBegun && this.isOver) this.#untilReady = this.giveUp();
    if (this.#untilReady > 0) {
      this.#untilReady -= 1;
      return false;
    }
    if (!this.#isBegun) this.begin();
    return true;
  }
}
