/**
 * Runs on more threads than usual, while nobody else has use for them: of prompts and pictures, whose operators are long enough
 * to be shared by many threads, and of steps on some of them. They are further sessions of the same weights.
 */
export interface WideRuns {
  /** Of one graph operator, the calling thread included. */
  readonly threads: number;
  /** Asked before each run. */
  isNow(): boolean;
}
