/**
 * How much of a draft to run. A run of a token and k drafted ones gives 1 + the expected number that come true; it has to
 * give more for its time than a decode step gives: one token for each row.
 */
import type { Costs } from './run-costs.ts';
import { MOST_DRAFT_TOKENS } from './speculation-options.ts';

/** By so much, for what is estimated is wrong sometimes. */
const MARGIN = 1.1;
/** By so much where a few others wait for it, and where many do: measured, see docs/benchmarks.md. */
const MARGIN_IN_BATCH = 1.3;
const MARGIN_IN_LARGE_BATCH = 2;
const LARGE_BATCH = 5;

/** As many as a run may ever draft. */
const CERTAIN: readonly number[] = Array.from({ length: MOST_DRAFT_TOKENS }, () => 1);

/**
 * @param chances of each drafted token, if those before it come true
 * @param rows of the batch
 * @returns how many to run; 0 where none pay, or it is not known yet
 */
export function worthRunning(chances: readonly number[], rows: number, costs: Costs): number {
  const step = costs.decode(rows);
  if (step === undefined) return 0;
  let best = 0;
  let bestRate = (marginOf(rows) * rows) / step;
  let all = 1;
  let expected = 1;
  for (const [index, chance] of chances.entries()) {
    all *= chance;
    expected += all;
    const ms = costs.run(index + 2);
    if (ms === undefined) return 0;
    const rate = expected / ms;
    if (rate > bestRate) [best, bestRate] = [index + 1, rate];
  }
  return best;
}

/** Whether the surest draft would pay: where it would not, looking for one is in vain. */
export function couldPay(most: number, rows: number, costs: Costs): boolean {
  return worthRunning(CERTAIN.slice(0, most), rows, costs) > 0;
}

function marginOf(rows: number): number {
  if (rows === 1) return MARGIN;
  return rows < LARGE_BATCH ? MARGIN_IN_BATCH : MARGIN_IN_LARGE_BATCH;
}
