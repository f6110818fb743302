/**
 * Whether threads sleep while they wait for what comes back on a port. To sleep and to be woken costs tens of microseconds,
 * on either side, more than dozens of small messages cost. So where answers come at once the event loop goes on turning,
 * without blocking, for a moment after a message has left; whatever else happens on the thread is seen as ever.
 *
 *     asleep   leaves ──▶ sleep ┈┈┈┈┈┈┈┈┈┈┈┈┈┈ woken ──▶ came          awake   leaves ─▶ turn turn turn ─▶ came
 *
 * Which is better is measured, port by port, for it depends on what else the processors have to do: where the two threads
 * share one, whoever stays awake is in the other's way, and loses its processor to others for milliseconds, while who
 * wakes up is given one at once. A few exchanges in a row try it; if they were clearly faster it stays so until moments awake
 * are in vain, at the first time if the system took a processor away meanwhile. Each failure makes the next tries rarer.
 *
 * One thread alone that stays awake gains little: the other one has to be woken still, on another processor. So what leaves says
 * whether its sender stays awake, and its receiver then does so, too, as long as that is not in vain.
 */
import { availableParallelism } from 'node:os';
import { Patience } from './patience.ts';

/** A thread stays awake for so long at most, ms: about as long as another one takes to wake up and answer a few messages. */
const MOST_AWAKE_MS = 0.1;
/** An exchange counts as this long at most; and where they take so long on average, there is nothing to gain. */
const LONG_MS = 0.15;
/** To stay awake costs time of a processor: an exchange has to be faster by so much. */
const FASTER = 0.8;
/** What the last exchange counts in the mean of all. */
const WEIGHT = 1 / 16;
/** Exchanges that try to stay awake, one after another. */
const TRIES = 8;
/** The first of them do not count: the other thread has to hear of it. */
const SETTLING = 2;
/** Exchanges until the first try. */
const FIRST = 64;

/** What it depends on. */
export interface Machine {
  /** Ms, on a clock that does not jump. */
  now(): number;
  readonly processors: number;
  /** How often the system took a processor away from a thread of this process that could have gone on. */
  preemptions(): number;
}

const MACHINE: Machine = {
  now: () => performance.now(),
  processors: availableParallelism(),
  preemptions: () => process.resourceUsage().involuntaryContextSwitches,
};

/** Of one end of a port. */
export class Wakefulness {
  readonly #machine: Machine;
  /** With one processor the other thread runs only while this one sleeps. */
  readonly #isAlone: boolean;
  readonly #own: Patience;
  readonly #following: Patience;
  /** Whether this end stays awake of its own accord: always, or to try it. */
  #way: 'asleep' | 'trying' | 'awake' = 'asleep';
  /** How long exchanges take on average, ms: asleep, as it was last, and awake. */
  #asleepMs = LONG_MS;
  #awakeMs = 0;
  /** Exchanges until the next try; of a try, until its end. */
  #untilNext = FIRST;
  /** The other end stays awake. */
  #isInvited = false;
  /** When something left that nothing has come for. 0: there is no such thing. */
  #leftAt = 0;
  /** Whether the thread stays awake for that, and why. */
  #mode: 'asleep' | 'own' | 'follows' = 'asleep';

  constructor(machine = MACHINE) {
    this.#machine = machine;
    this.#isAlone = machine.processors === 1;
    this.#own = new Patience(() => machine.preemptions());
    this.#following = new Patience(() => machine.preemptions());
  }

  /** A message leaves. Whether the other end is to stay awake. */
  left(): boolean {
    if (this.#leftAt === 0) {
      this.#leftAt = this.#machine.now();
      if (this.#way !== 'asleep') this.#mode = 'own';
      else this.#mode = this.#isInvited && !this.#isAlone && this.#following.isReady() ? 'follows' : 'asleep';
      if (this.#mode !== 'asleep') stayAwake(this);
    }
    return this.#way !== 'asleep';
  }

  /** Something has come. @param isInvited its sender stays awake, and this end is to do so, too */
  came(isInvited: boolean): void {
    this.#isInvited = isInvited;
    if (this.#leftAt === 0) return;
    const ms = Math.min(LONG_MS, this.#machine.now() - this.#leftAt);
    this.#leftAt = 0;
    if (this.#mode === 'follows') this.#following.note(ms >= MOST_AWAKE_MS);
    else if (this.#mode === 'asleep') this.#slept(ms);
    else if (this.#way === 'trying') this.#tried(ms);
    else this.#waited(ms);
  }

  /** Whether the thread is not to sleep now. */
  get isAwake(): boolean {
    if (this.#mode === 'asleep' || this.#leftAt === 0) return false;
    return this.#machine.now() - this.#leftAt < MOST_AWAKE_MS;
  }

  #slept(ms: number): void {
    this.#asleepMs += (ms - this.#asleepMs) * WEIGHT;
    this.#untilNext -= 1;
    if (this.#untilNext > 0 || this.#isAlone || this.#asleepMs > LONG_MS * FASTER) return;
    this.#way = 'trying';
    this.#untilNext = TRIES;
    this.#awakeMs = 0;
    this.#own.begin();
  }

  #tried(ms: number): void {
    this.#untilNext -= 1;
    const counts = this.#untilNext < TRIES - SETTLING;
    if (counts) this.#awakeMs += ms / (TRIES - SETTLING);
    if (counts && ms >= MOST_AWAKE_MS) this.#sleep();
    else if (this.#untilNext > 0) return;
    else if (this.#awakeMs > this.#asleepMs * FASTER) this.#sleep();
    else this.#way = 'awake';
  }

  #waited(ms: number): void {
    this.#awakeMs += (ms - this.#awakeMs) * WEIGHT;
    this.#own.note(ms >= MOST_AWAKE_MS);
    if (this.#own.isOver || this.#awakeMs > this.#asleepMs) this.#sleep();
  }

  #sleep(): void {
    this.#way = 'asleep';
    this.#untilNext = this.#own.giveUp();
  }
}

const awake = new Set<Wakefulness>();

function stayAwake(one: Wakefulness): void {
  if (awake.size === 0) setImmediate(turn);
  awake.add(one);
}

function turn(): void {
  for (const one of awake) if (!one.isAwake) awake.delete(one);
  if (awake.size > 0) setImmediate(turn);
}
