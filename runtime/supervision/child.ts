/**
 * One supervised actor: the sequence of its incarnations.
 *
 *     starting ──▶ up ──crash──▶ restarting ──pause──▶ starting …
 *                   │                 │
 *                  stop       too many crashes
 *                   ▼                 ▼
 *        stopped / quarantined    escalated
 */
import { type ActorError, TroupeError } from '../errors.ts';
import { isError } from '../util/realms.ts';
import { pause } from '../util/timers.ts';
import type { Exit, Incarnation } from './incarnation.ts';
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
  /** The actor did not stop within its grace and was left behind. */
  onQuarantined(child: Child, incarnation: Incarnation): void;
}

export class Child {
  readonly name: string;
  readonly #incarnate: () => Incarnation;
  readonly #events: ChildEvents;
  readonly #intensity: RestartIntensity;
  readonly #stopSignal = new AbortController();
  #state: ChildState = 'starting';
  #current: Incarnation | undefined;
  #restarts = 0;

  constructor(name: string, incarnate: () => Incarnation, policy: RestartPolicy, events: ChildEvents) {
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

  /** Its last crash was not its own fault, and does not count towards giving it up. */
  forgive(): void {
    this.#intensity.forgive();
  }

  /** First start. A setup that fails here is the caller's to handle: it is not retried. */
  async start(): Promise<void> {
    const incarnation = this.#begin();
    try {
      await incarnation.start();
    } catch (error) {
      await this.#discard(incarnation);
      this.#state = 'stopped';
      throw error;
    }
    this.#becomeUp(incarnation);
  }

  /** Cooperative stop within `graceMs`, else quarantine. */
  async stop(graceMs: number): Promise<'stopped' | 'quarantined'> {
    const incarnation = this.#current;
    const wasUp = this.#state === 'up' || this.#state === 'starting';
    if (this.#state !== 'escalated') this.#state = 'stopping';
    this.#stopSignal.abort();
    if (incarnation === undefined || !wasUp) {
      this.#state = 'stopped';
      return 'stopped';
    }
    const ended = await within(graceMs, incarnation.stop());
    if (ended) {
      this.#state = 'stopped';
      return 'stopped';
    }
    this.#state = 'quarantined';
    incarnation.abandon();
    this.#events.onQuarantined(this, incarnation);
    return 'quarantined';
  }

  #begin(): Incarnation {
    const incarnation = this.#incarnate();
    this.#current = incarnation;
    return incarnation;
  }

  #becomeUp(incarnation: Incarnation): void {
    this.#state = 'up';
    this.#events.onUp(this, incarnation);
    void incarnation.exited.then((exit) => this.#onExit(incarnation, exit));
  }

  #onExit(incarnation: Incarnation, exit: Exit): void {
    this.#events.onDown(this, incarnation, exit);
    if (this.#state === 'up') void this.#restart(exit);
  }

  async #restart(exit: Exit): Promise<void> {
    let failure = exit.kind === 'stopped' ? unexpectedExit(this.name) : exit.error;
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
      const incarnation = this.#begin();
      this.#state = 'starting';
      try {
        await incarnation.start();
      } catch (error) {
        failure = isError(error) ? error : unexpectedExit(this.name);
        await this.#discard(incarnation);
        if (this.#stopSignal.signal.aborted) return;
        continue;
      }
      if (!this.#stopSignal.signal.aborted) this.#becomeUp(incarnation);
      return;
    }
  }

  async #discard(incarnation: Incarnation): Promise<void> {
    await incarnation.stop();
    this.#events.onDown(this, incarnation, await incarnation.exited);
  }
}

async function within(graceMs: number, work: Promise<void>): Promise<boolean> {
  const timer = new AbortController();
  const ended = await Promise.race([work.then(() => true), pause(graceMs, timer.signal).then(() => false)]);
  timer.abort();
  return ended;
}

function unexpectedExit(name: string): TroupeError {
  return new TroupeError(`${name} ended by itself`, { code: 'ACTOR_DIED' satisfies ActorError['code'] });
}
