/**
 * Measures tasks against each other: all of them in turn, several rounds, and of each the median of its rounds'
 * medians, so that a machine that slows down for a while does so for every side.
 */
import { Bench } from 'tinybench';
import type { Row, SuiteOptions, Table } from './suite.ts';

export interface Task {
  readonly name: string;
  /** Operations that one call performs. Default 1. */
  readonly operations?: number;
  /** A number that it returns is its duration in milliseconds, where not all that it does shall count. */
  run(): unknown;
}

const EFFORT = { rounds: 5, time: 700, warmupTime: 150 };
const QUICK_EFFORT = { rounds: 1, time: 150, warmupTime: 50 };

/** @param tasks the first one is the baseline */
export async function measure(
  title: string,
  unit: string,
  tasks: readonly [Task, ...Task[]],
  { quick }: SuiteOptions,
): Promise<Table> {
  const { rounds, ...effort } = quick ? QUICK_EFFORT : EFFORT;
  const medians = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({ ...effort, iterations: 5, warmupIterations: 2, throws: true });
    for (const { name, run } of tasks) {
      bench.add(name, async () => {
        const ms = await run();
        return typeof ms === 'number' ? { overriddenDuration: ms } : undefined;
      });
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
      medianMs: median(medians.get(name) ?? []) / operations,
    })),
  );
}

export interface Measured {
  readonly name: string;
  /** Of one operation. */
  readonly medianMs: number;
}

/** @param measured the first one is the baseline */
export function table(title: string, unit: string, measured: readonly Measured[]): Table {
  const baseline = measured[0] ?? { name: '', medianMs: Number.NaN };
  const rows = measured.map(
    ({ name, medianMs }): Row => ({
      name,
      medianMs,
      perSecond: 1000 / medianMs,
      ratio: baseline.medianMs / medianMs,
    }),
  );
  return { title, unit, baseline: baseline.name, rows };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
