/**
 * Measures tasks against each other: all of them in turn, several rounds, and of each the median of its rounds'
 * medians. A ratio is the median of the rounds' ratios, so that a machine that slows down for a while does so for
 * every side.
 */
import process from 'node:process';
import { median } from 'simple-statistics';
import { Bench, type Task as TimedTask } from 'tinybench';
import { formatMs } from './format.ts';
import type { Row, SuiteOptions, Table } from './suite.ts';

export interface Task {
  readonly name: string;
  /** Operations that one call performs. Default 1. */
  readonly operations?: number;
  /** A number that it returns is its duration in milliseconds, where not all that it does shall count. */
  run(): unknown;
}

/** How long is measured: rounds, and what tinybench does in each of them. */
export interface Effort {
  readonly rounds: number;
  readonly iterations: number;
  /** Milliseconds at least. */
  readonly time: number;
  readonly warmup: boolean;
  readonly warmupIterations?: number;
  readonly warmupTime?: number;
}

const MANY_CALLS: Effort = {
  rounds: 5,
  iterations: 5,
  time: 700,
  warmup: true,
  warmupIterations: 2,
  warmupTime: 150,
};
/** Enough to see that it works. */
const QUICK_CALLS: Effort = {
  rounds: 1,
  iterations: 2,
  time: 20,
  warmup: true,
  warmupIterations: 1,
  warmupTime: 10,
};

/**
 * For tasks that take seconds: one call a round. They have to be warm already.
 * @param usual rounds, where the command line does not say
 */
export function longCalls({ quick, rounds }: SuiteOptions, usual = 3): Effort {
  return { rounds: rounds ?? (quick ? 1 : usual), iterations: 1, time: 0, warmup: false };
}

/** @param tasks the first one is the baseline */
export async function measure(
  title: string,
  unit: string,
  tasks: readonly [Task, ...Task[]],
  { quick }: Pick<SuiteOptions, 'quick'>,
  { rounds, ...effort }: Effort = quick ? QUICK_CALLS : MANY_CALLS,
): Promise<Table> {
  const medians = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({ ...effort, throws: true });
    for (const { name, run } of tasks) {
      bench.add(name, async () => {
        const ms = await run();
        return typeof ms === 'number' ? { overriddenDuration: ms } : undefined;
      });
    }
    if (effort.iterations === 1) {
      bench.addEventListener('cycle', ({ task }) => showProgress(`round ${round + 1} of ${rounds}`, task));
    }
    await bench.run();
    for (const { name, result } of bench.tasks) {
      if (!('latency' in result)) throw new Error(`${title}: ${name} was not measured (${result.state})`);
      medians.set(name, [...(medians.get(name) ?? []), result.latency.p50]);
    }
  }
  return table(
    title,
    unit,
    tasks.map(({ name, operations = 1 }) => ({
      name,
      roundsMs: (medians.get(name) ?? []).map((ms) => ms / operations),
    })),
  );
}

/** Long calls are worth a word each. */
function showProgress(round: string, task: TimedTask | undefined): void {
  if (task === undefined || !('latency' in task.result)) return;
  process.stderr.write(`  ${round}, ${task.name}: ${formatMs(task.result.latency.p50)}\n`);
}

export interface Measured {
  readonly name: string;
  /** Of one operation, round by round. */
  readonly roundsMs: readonly number[];
}

/** @param measured the first one is the baseline; all of the same rounds */
export function table(title: string, unit: string, measured: readonly Measured[]): Table {
  const baseline = measured[0] ?? { name: '', roundsMs: [] };
  const rows = measured.map(({ name, roundsMs }): Row => {
    const medianMs = median([...roundsMs]);
    const ratio = median(roundsMs.map((ms, round) => (baseline.roundsMs[round] ?? Number.NaN) / ms));
    return { name, medianMs, perSecond: 1000 / medianMs, ratio, roundsMs };
  });
  return { title, unit, baseline: baseline.name, rows };
}

/** How many times as fast as its table's baseline a row is. */
export function ratioOf(result: Table, name: string): number {
  return rowOf(result, name).ratio;
}

/** How many times as fast as `other` a row is, the median of all rounds. */
export function ratioBetween(result: Table, name: string, other: string): number {
  const ours = rowOf(result, name).roundsMs;
  const theirs = rowOf(result, other).roundsMs;
  return median(ours.map((ms, round) => (theirs[round] ?? Number.NaN) / ms));
}

function rowOf({ title, rows }: Table, name: string): Row {
  const row = rows.find((one) => one.name === name);
  if (row === undefined) throw new Error(`${title} has no row "${name}"`);
  return row;
}
