/**
 * Long runs on more threads than others, while nobody else has use for them: for prompts and pictures, whose operators are
 * long enough to be shared by many threads. They are a second session of the same weights.
 */
export interface WideRuns {
  /** Of one graph operator, the calling thread included. */
  readonly threads: number;
  /** Asked before each run. */
  isNow(): boolean;
}
