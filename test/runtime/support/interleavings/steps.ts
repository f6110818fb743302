/** What a test and a thread that it steps through have in common. */
export interface Stepped {
  /** Each access to it waits for leave. */
  readonly memory: SharedArrayBuffer;
  /** Of its cells as int32, those that count; absent: all. */
  readonly cells?: readonly number[];
  /** See `STEPS`. */
  readonly steps: Int32Array<SharedArrayBuffer>;
}

/** Of one side: what it does, leave to go on, what it found. */
export const STEPS = { state: 0, leave: 1, round: 2, result: 3 } as const;
export const STATE = { idle: 0, atAccess: 1, done: 2 } as const;
