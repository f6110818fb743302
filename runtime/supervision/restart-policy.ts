/**
 * When a crashed actor is started again, and when the supervisor gives up: OTP's restart intensity, with a
 * growing pause between attempts.
 */
import { backoffDelay } from '../util/backoff.ts';

/** When a crashed actor is started again, and when it is given up. */
export interface RestartPolicy {
  /** Restarts allowed within the window; one more crash escalates. Default 5. */
  readonly maxRestarts: number;
  /** Milliseconds. Default 60,000. */
  readonly windowMs: number;
  /** Pause before the first restart in a window, milliseconds; doubles with each. Default 50. */
  readonly minBackoffMs: number;
  /** Default 5,000. */
  readonly maxBackoffMs: number;
}

/** Five restarts in a minute, with pauses from 50 ms to 5 s. */
export const DEFAULT_RESTART_POLICY: RestartPolicy = {
  maxRestarts: 5,
  windowMs: 60_000,
  minBackoffMs: 50,
  maxBackoffMs: 5_000,
};

export class RestartIntensity {
  readonly #policy: RestartPolicy;
  #crashes: number[] = [];

  constructor(policy: RestartPolicy) {
    this.#policy = policy;
  }

  /** The last crash does not count. */
  forgive(): void {
    this.#crashes.pop();
  }

  /** Records a crash at `now` (milliseconds). Returns the pause before the restart, or undefined to escalate. */
  recordCrash(now: number): number | undefined {
    const { maxRestarts, windowMs, minBackoffMs: firstMs, maxBackoffMs: capMs } = this.#policy;
    this.#crashes = [...this.#crashes.filter((at) => now - at < windowMs), now];
    if (this.#crashes.length > maxRestarts) return undefined;
    return backoffDelay(this.#crashes.length, { firstMs, capMs });
  }
}
