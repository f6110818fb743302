/**
 * Capacities that rows get. A step costs in proportion to the capacity, a change of it moves all rows: steps of an
 * eighth of the size keep both small (at most 1/8 too much, eight moves from one power of two to the next).
 */

/**
 * Finer steps cost more moves than they save: 8 rows of SmolVLM-256M's shape move in 8 ms at 130 tokens, and 16 places too many
 * take 0.15 ms of each decode step.
 */
const SMALLEST_STEP = 32;

/** The capacity for rows that hold up to `tokens` tokens. */
export function capacityFor(tokens: number): number {
  if (tokens <= 0) return 0;
  const power = 2 ** Math.floor(Math.log2(tokens));
  const step = Math.max(SMALLEST_STEP, power / 8);
  return Math.ceil(tokens / step) * step;
}
