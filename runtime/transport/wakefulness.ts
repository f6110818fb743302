/**
 * Whether a thread sleeps while it waits for what comes back on a port. To sleep and to be woken costs some 20 µs on each side
 * where processors have nothing else to do, more than dozens of small messages cost; and a pipeline whose batches are
 * handled faster than that is asleep at both ends in turns. So for a moment after a message has left, the event loop
 * goes on turning without blocking; whatever else happens on the thread is seen as ever.
 *
 *     leaves ──▶ turn turn turn ──▶ something came: worth it
 *     leaves ──▶ turn turn turn … 50 µs … sleep: in vain
 *     leaves ──▶ something was there already: neither
 *
 * It costs time of a processor where nothing comes so soon: answers of models take longer, and beside other work the
 * other thread may need this very processor, so that it cannot answer before this one sleeps. After a few waits in vain, and none
 * between them that was worth it, a port sleeps at once for the next messages, then tries again once; each vain try makes the next
 * one rarer.
 */
import { availableParallelism } from 'node:os';

/**
 * A thread stays awake for so long at most, ms. Long enough for the other one to wake up and answer, so that a try pays where only
 * one of the two makes it.
 */
const MOST_AWAKE_MS = 0.05;
/** Turns of that time: a turn takes half a microsecond at least, unless the clock is one that a test holds still. */
const MOST_TURNS = 256;
/** So many waits in vain, and none between them that was worth it, are chance: garbage is collected, and others compute. */
const FORGIVEN = 8;
/**
 * What came within the first turns would have been found without staying awake: the other thread ran before this one
 * looked, as it does where both share a processor.
 */
const FIRST_TURNS = 2;
/** Messages that leave until it is tried again; twice as many after each try in vain. */
const FIRST_PAUSE = 64;
const LONGEST_PAUSE = 4_096;

/** What it depends on. */
export interface Clock {
  /** Ms; does not jump. */
  now(): number;
  /** Calls back once the event loop has looked for what has come. */
  nextTurn(callback: () => void): void;
}

const PROCESSORS = availableParallelism();
const CLOCK: Clock = { now: () => performance.now(), nextTurn: (callback) => setImmediate(callback) };

/** Of one end of a port. */
export class Wakefulness {
  readonly #clock: Clock;
  /** With one processor the other thread runs only while this one sleeps. */
  readonly #isAlone: boolean;
  #isAwake = false;
  /** When it sleeps again. */
  #until = 0;
  #turnsLeft = 0;
  /** Nothing has come since the last message left. */
  #isWaiting = false;
  /** Waits in vain since one was worth it. */
  #vain = 0;
  #pause = FIRST_PAUSE;
  /** Messages that leave until the next try. */
  #untilTry = 0;

  constructor(clock = CLOCK, processors = PROCESSORS) {
    this.#clock = clock;
    this.#isAlone = processors === 1;
  }

  /** A message has left. */
  left(): void {
    if (this.#isAlone) return;
    if (this.#untilTry > 0) {
      this.#untilTry -= 1;
      return;
    }
    this.#until = this.#clock.now() + MOST_AWAKE_MS;
    this.#turnsLeft = MOST_TURNS;
    this.#isWaiting = true;
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#clock.nextTurn(this.#turn);
  }

  /** A message has come. More may follow, so the thread stays awake. */
  came(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    if (MOST_TURNS - this.#turnsLeft < FIRST_TURNS) return;
    this.#vain = 0;
    this.#pause = FIRST_PAUSE;
  }

  readonly #turn = (): void => {
    this.#turnsLeft -= 1;
    if (this.#turnsLeft > 0 && this.#clock.now() < this.#until) this.#clock.nextTurn(this.#turn);
    else this.#sleep();
  };

  #sleep(): void {
    this.#isAwake = false;
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#vain += 1;
    if (this.#vain < FORGIVEN) return;
    this.#vain = FORGIVEN - 1; // the next one is a try
    this.#untilTry = this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
  }
}
