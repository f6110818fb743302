/**
 * One supervised actor: the sequence of its incarnations.
 *
 *     starting ──▶ up ──crash──▶ restarting ──pause──▶ starting …
 *                   │                 │
 *                  stop       too many crashes
 *                   ▼                 ▼
 *        stopped / quarantined    escalated
 */
import { diedError, stoppedError } from '../errors.ts';
import { errorOf } from '../util/realms.ts';
import { endsWithin, pause } from '../util/timers.ts';
import type { Exit, Incarnation, Waiting } from './incarnation.ts';
import { RestartIntensity, type RestartPolicy } from './restart-policy.ts';

/**
 * Where a supervised actor is in its life: `escalated` when it crashed too often and was given up, `quarantined` when
 * it did not stop within its grace and was left behind.
 */
export type ChildState =
  | 'starting'
  | 'up'
  | 'restarting'
  | 'escalated'
  | 'stopping'
  | 'stopped'
  | 'quarantined';

export interface ChildEvents {
  onUp(child: Child, incarnation: Incarnation): void;
  /** The incarnation is over, whatever the reason; what it held can be reclaimed. */
  onDown(child: Child, incarnation: Incarnation, exit: Exit): void;
  onRestarting(child: Child, attempt: number, pauseMs: number): void;
  onEscalated(child: Child, error: Error): void;
  /** The actor did not stop within its grace and was left behind: nobody talks to it any more. */
  onQuarantined(child: Child, incarnation: Incarnation): void;
  /** One that was left behind is over, and another may be up meanwhile: only what it held is to be reclaimed. */
  onEnded(child: Child, incarnation: Incarnation, exit: Exit): void;
}

export class Child {
  readonly name: string;
  readonly #incarnate: (inherited: unknown) => Incarnation;
  readonly #events: ChildEvents;
  readonly #intensity: RestartIntensity;
  readonly #stopSignal = new AbortController();
  #state: ChildState = 'starting';
  /** The latest incarnation, until it is over or left behind: while it starts, is up, or ends what it is at before the next. */
  #current: Incarnation | undefined;
  #restarts = 0;
  /** What was handed over, until the next incarnation is up. */
  #inherited: unknown;
  /** Ends when the incarnation that is being renewed has done what it was at, and has handed over. */
  #retired: Promise<void> | undefined;
  /** Those that were left behind. */
  readonly #left = new WeakSet<Incarnation>();

  constructor(
    name: string,
    incarnate: (inherited: unknown) => Incarnation,
    policy: RestartPolicy,
    events: ChildEvents,
  ) {
    this.name = name;
    this.#incarnate = incarnate;
    this.#events = events;
    this.#intensity = new RestartIntensity(policy);
  }

  get state(): ChildState {
    return this.#state;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** The live incarnation, if any. */
  get incarnation(): Incarnation | undefined {
    return this.#state === 'up' ? this.#current : undefined;
  }

  /** The thread of its latest incarnation runs, or is over. */
  get begun(): Promise<void> {
    return this.#current?.begun ?? Promise.resolve();
  }

  /** Its latest incarnation has stopped; only the thread may be left. */
  get quiet(): Promise<void> {
    return this.#current?.quiet ?? Promise.resolve();
  }

  /** Its last crash was not its own fault, and does not count towards giving it up. */
  forgive(): void {
    this.#intensity.forgive();
  }

  /**
   * First start. A setup that fails here is the caller's to handle: it is not retried.
   * @throws ActorError `ACTOR_STOPPED` when it was stopped before
   */
  async start(): Promise<void> {
    if (this.#stopSignal.signal.aborted) throw stoppedError(this.name);
    try {
      await this.#begin();
    } catch (error) {
      this.#state = 'stopped';
      throw error;
    }
  }

  /**
   * Cooperative stop within `graceMs`, else quarantine.
   * @param waiting what becomes of the messages that wait
   * @param mayEnd see `Incarnation.stop`
   */
  async stop(
    graceMs: number,
    waiting: Waiting = 'refused',
    mayEnd?: Promise<void>,
  ): Promise<'stopped' | 'quarantined'> {
    const incarnation = this.#current;
    this.#stopSignal.abort();
    if (incarnation === undefined) return this.#stoppedAs('stopped');
    this.#state = 'stopping';
    const stop = () => incarnation.stop(waiting, mayEnd);
    // One that is being renewed hands over first: the actor's end is not to come in the middle of that.
    const ended = this.#retired === undefined ? stop() : this.#retired.then(stop);
    const inTime = await endsWithin(graceMs, ended);
    if (!inTime) this.#leave(incarnation);
    // Who is stopping already, or being renewed, may have been given less time by that, and have been left meanwhile.
    return this.#stoppedAs(this.#left.has(incarnation) ? 'quarantined' : 'stopped');
  }

  #stoppedAs<State extends 'stopped' | 'quarantined'>(state: State): State {
    this.#state = state;
    return state;
  }

  /**
   * Another incarnation, once what is in progress has ended; it is given what this one hands over. What waits is served by it
   * or by others. No effect unless up. Rejects with what kept it from starting, or from getting what was to be handed over.
   */
  async renew(graceMs: number): Promise<void> {
    const incarnation = this.incarnation;
    if (incarnation === undefined) return;
    this.#state = 'restarting';
    this.#restarts += 1;
    const keptBack = await this.#retire(incarnation, graceMs);
    if (this.#stopSignal.signal.aborted) return;
    try {
      await this.#begin();
    } catch (error) {
      if (!this.#stopSignal.signal.aborted) void this.#restart(errorOf(error));
      throw error;
    }
    if (keptBack !== undefined) throw keptBack.error;
  }

  /** Ends an incarnation that hands over what it has. Why it did not, where it failed to. */
  async #retire(incarnation: Incarnation, graceMs: number): Promise<{ readonly error: unknown } | undefined> {
    const until = performance.now() + graceMs;
    let keptBack: { readonly error: unknown } | undefined;
    const retired = incarnation.retire().then(
      (state) => {
        // What one has to say that was given up comes too late: there is another, or nobody gave that one anything.
        if (!this.#left.has(incarnation)) this.#inherited = state;
      },
      (error: unknown) => {
        keptBack = { error };
      },
    );
    this.#retired = retired;
    let inTime = await endsWithin(graceMs, retired);
    // Whoever stops it meanwhile ends it.
    if (inTime && !this.#stopSignal.signal.aborted)
      inTime = await endsWithin(until - performance.now(), incarnation.stop('served elsewhere'));
    this.#retired = undefined;
    if (!inTime) this.#leave(incarnation);
    return keptBack;
  }

  /** Once, whoever finds first that it takes too long. */
  #leave(incarnation: Incarnation): void {
    if (this.#current !== incarnation) return;
    this.#current = undefined;
    this.#left.add(incarnation);
    incarnation.abandon();
    this.#events.onQuarantined(this, incarnation);
  }

  /**
   * An incarnation from its making to its being up. Rejects with what kept it from either: its setup fails, or before that its
   * arguments cannot be made, or not be sent to a thread. Then nothing of it is left.
   */
  async #begin(): Promise<void> {
    this.#state = 'starting';
    const incarnation = this.#incarnate(this.#inherited);
    this.#current = incarnation;
    const { signal } = this.#stopSignal;
    try {
      // Who makes the arguments may stop the pool.
      if (signal.aborted) throw stoppedError(this.name);
      await incarnation.start();
    } catch (error) {
      await this.#discard(incarnation);
      throw error;
    }
    if (!signal.aborted) {
      this.#becomeUp(incarnation);
      return;
    }
    // Whoever stops it ends it.
    void incarnation.exited.then((exit) => this.#over(incarnation, exit));
    throw stoppedError(this.name);
  }

  #becomeUp(incarnation: Incarnation): void {
    this.#state = 'up';
    this.#inherited = undefined;
    this.#events.onUp(this, incarnation);
    void incarnation.exited.then((exit) => this.#onExit(incarnation, exit));
  }

  #onExit(incarnation: Incarnation, ended: Exit): void {
    if (this.#left.has(incarnation)) {
      this.#over(incarnation, ended); // the state is that of another
      return;
    }
    const isUnexpected = this.#state === 'up' && ended.kind === 'stopped';
    const exit: Exit = isUnexpected
      ? { kind: 'crashed', error: diedError(this.name, new Error('it ended by itself')) }
      : ended;
    this.#over(incarnation, exit);
    if (this.#state === 'up' && exit.kind !== 'stopped') void this.#restart(exit.error);
  }

  async #restart(cause: Error): Promise<void> {
    let failure = cause;
    for (;;) {
      const pauseMs = this.#intensity.recordCrash(performance.now());
      if (pauseMs === undefined) {
        this.#state = 'escalated';
        this.#events.onEscalated(this, failure);
        return;
      }
      this.#state = 'restarting';
      this.#restarts += 1;
      this.#events.onRestarting(this, this.#restarts, pauseMs);
      // The stop may have come after the pause was over.
      if (!(await pause(pauseMs, this.#stopSignal.signal)) || this.#stopSignal.signal.aborted) return;
      try {
        await this.#begin();
        return;
      } catch (error) {
        if (this.#stopSignal.signal.aborted) return;
        failure = errorOf(error);
      }
    }
  }

  async #discard(incarnation: Incarnation): Promise<void> {
    await incarnation.stop('refused');
    this.#over(incarnation, await incarnation.exited);
  }

  #over(incarnation: Incarnation, exit: Exit): void {
    if (this.#current === incarnation) this.#current = undefined;
    if (this.#left.has(incarnation)) this.#events.onEnded(this, incarnation, exit);
    else this.#events.onDown(this, incarnation, exit);
  }
}
