/** What a test and the side of a channel that it steps through have in common. */
export interface SteppedFlow {
  readonly flow: SharedArrayBuffer;
  /** See `STEPS`. */
  readonly steps: Int32Array<SharedArrayBuffer>;
  readonly side: 'sender' | 'receiver';
  readonly window: number;
  readonly messages: number;
  /** Of each message. More than 0: the window of bytes is full with all of them, that of messages is not. */
  readonly bytes: number;
  /** Times that the sender looks for credit and asks for it. */
  readonly attempts: number;
}

/** Of one side: what it does, leave to go on, what it found. */
export const STEPS = { state: 0, leave: 1, round: 2, result: 3 } as const;
export const STATE = { idle: 0, atAccess: 1, done: 2 } as const;
