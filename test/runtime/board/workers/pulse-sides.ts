/** What a test and the sides of a thread's pulse that it steps through have in common. */
import type { Stepped } from '../../support/interleavings/steps.ts';

/** What has become of the thread when it does no more. */
export const THREAD = { inJavaScript: 0, parked: 1, exited: 2 } as const;
/** What the supervisor was told. */
export const FATE = { ended: 0, left: 1, neither: 2 } as const;

export interface SteppedPulse extends Stepped {
  readonly side: 'thread' | 'supervisor';
  /** Calls of native code, one after the other. */
  readonly calls: number;
  /** Each of them in one another. */
  readonly depth: number;
  /** Set while the thread is inside native code, and once the supervisor has been told. */
  readonly flags: Int32Array<SharedArrayBuffer>;
}

/** Of the thread and of the supervisor: neither is stepped, so each is set in one go with the access before it. */
export const FLAGS = { inside: 0, toldEnded: 1, harmed: 2 } as const;
