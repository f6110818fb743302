/**
 * Finds threads that hang: in a loop that never ends, in a regular expression that tries for ever, in native code that
 * does not come back. Looks at the pulse that each thread publishes in shared memory, about once a second.
 *
 * Time counts only as long as the watchdog itself runs: each look adds what has passed since the last one, but never more
 * than the usual pause between two. So a process that was stopped, a machine that slept and a debugger do not make a thread
 * look hung. While a debugger is attached nothing counts. On cores that are far too busy only the time counts in which the
 * thread had one, where the system tells it (Linux); a thread that sleeps waits for none.
 */
import { url as debuggerUrl } from 'node:inspector';
import type { PulseLimits, PulseReader } from '../board/pulse.ts';
import { ActorError } from '../errors.ts';
import type { CoreTime } from '../thread/core-time.ts';

/** When an actor's thread is taken for hung; what is absent has its default. */
export interface WatchdogOptions extends Partial<PulseLimits> {}

export const DEFAULT_PULSE_LIMITS: PulseLimits = { turnMs: 15_000, setUpMs: 60_000, nativeMs: 120_000 };

/** A thread that is watched. */
export interface Watched {
  readonly name: string;
  readonly pulse: PulseReader;
  /** What the thread has had of the cores so far; undefined where the system does not say. */
  readonly coreTime: CoreTime | undefined;
  /** Ends it, or leaves it behind. False when it is over, or that was done before. */
  condemn(error: Error): boolean;
}

const PERIOD_MS = 1_000;
/** Looks within the shortest limit. */
const LOOKS = 8;

/** Of the time between two looks. A thread that ran and waited for less was asleep. */
const AWAKE = 0.05;

interface Silence {
  turns: number;
  ms: number;
  cores: CoreTime | undefined;
}

export class Watchdog {
  readonly #limits: PulseLimits;
  readonly #onHung: (watched: Watched) => void;
  readonly #silences = new Map<Watched, Silence>();
  readonly periodMs: number;
  /** Whatever they are allowed otherwise; for threads in native code, which it takes longer to come out of, `turnMs`. */
  #mostMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = 0;

  /** @param onHung called in the same turn in which a thread was condemned, before anybody hears of its end */
  constructor(limits: PulseLimits, onHung: (watched: Watched) => void) {
    this.#limits = limits;
    this.#onHung = onHung;
    this.periodMs = Math.max(1, Math.min(PERIOD_MS, limits.turnMs / LOOKS, limits.setUpMs / LOOKS));
  }

  watch(watched: Watched): void {
    this.#silences.set(watched, { turns: watched.pulse.turns, ms: 0, cores: undefined });
    if (this.#timer !== undefined) return;
    this.#lookedAt = performance.now();
    this.#timer = setInterval(() => this.look(performance.now()), this.periodMs);
    this.#timer.unref();
  }

  forget(watched: Watched): void {
    this.#silences.delete(watched);
    if (this.#silences.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * From now on nobody waits for what threads do: one in JavaScript is taken for hung after so many ms, one in native code
   * after `turnMs`, or as many if that is more.
   */
  hurry(mostMs: number): void {
    this.#mostMs = mostMs;
  }

  /** How long the thread has not turned, as far as that counts, ms; 0 when it turns, or is not long in native code yet. */
  silentMs(watched: Watched): number {
    const silence = this.#silences.get(watched);
    if (silence === undefined) return 0;
    const usualMs = watched.pulse.isNative ? this.#limits.turnMs : 2 * this.periodMs;
    return silence.ms <= usualMs ? 0 : silence.ms;
  }

  /** One look at all of them. `now`: ms on any clock that does not jump. */
  look(now: number): void {
    const passedMs = Math.min(now - this.#lookedAt, this.periodMs);
    this.#lookedAt = now;
    if (debuggerUrl() !== undefined) return;
    for (const [watched, silence] of this.#silences) {
      const { turns, allowedMs, isNative } = watched.pulse;
      if (turns !== silence.turns) {
        silence.turns = turns;
        silence.ms = 0;
        silence.cores = undefined;
        continue;
      }
      silence.ms += passedMs * this.#shareOfCores(watched, silence, passedMs);
      const mostMs = isNative ? Math.max(this.#mostMs, this.#limits.turnMs) : this.#mostMs;
      if (silence.ms <= Math.min(mostMs, allowedMs === 0 ? this.#limits.setUpMs : allowedMs)) continue;
      if (watched.condemn(hungError(watched, silence.ms))) this.#onHung(watched);
    }
  }

  /** Of the time in which the thread wanted a core since the last look, in which share it had one. 1 where nobody knows. */
  #shareOfCores(watched: Watched, silence: Silence, passedMs: number): number {
    if (this.#mostMs !== Number.POSITIVE_INFINITY) return 1;
    const [before, now] = [silence.cores, watched.coreTime];
    silence.cores = now;
    if (before === undefined || now === undefined) return 1;
    const [ran, waited] = [now.ranMs - before.ranMs, now.waitedMs - before.waitedMs];
    return ran + waited < AWAKE * passedMs ? 1 : ran / (ran + waited);
  }
}

function hungError({ name, pulse }: Watched, silentMs: number): ActorError {
  const where = pulse.isNative ? 'native code' : 'a computation';
  const seconds = Math.round(silentMs / 100) / 10;
  return new ActorError(`${name} hung: it did not come back from ${where} for ${seconds} s`, {
    code: 'ACTOR_DIED',
    retrySafe: true,
    details: { actor: name, hungMs: Math.round(silentMs) },
  });
}
