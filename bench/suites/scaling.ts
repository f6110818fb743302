/**
 * Cores × streams: output tokens a second of the default plan on all cores against what two cores' plan makes, and against
 * other divisions of the same cores into actors and threads. All are engines of one process, asked in turn; those of fewer
 * cores have as many inference threads, and run wherever the system puts them.
 */

import { resolveConfig } from '../../src/config/resolve-config.ts';
import { thisMachine } from '../../src/config/this-machine.ts';
import { type Machine, planThreads } from '../../src/config/thread-plan.ts';
import type { Troupe, TroupeOptions } from '../../src/index.ts';
import { BenchModel } from '../bench-model.ts';
import type { Precision } from '../generated-model/precision.ts';
import { longCalls, measure, ratioOf, type Task } from '../measure.ts';
import { toChatOptions } from '../peers/peer-request.ts';
import type { Claim, Suite, SuiteOptions, Table } from '../suite.ts';

interface Load {
  readonly streams: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Of the default plan on 16 cores or more, against that of two. */
  readonly goal?: number;
}

const LOADS: readonly Load[] = [
  { streams: 1, promptTokens: 600, outputTokens: 128 },
  { streams: 16, promptTokens: 600, outputTokens: 128, goal: 5 },
  { streams: 64, promptTokens: 600, outputTokens: 128, goal: 6.5 },
];
const QUICK_LOADS: readonly Load[] = [
  { streams: 1, promptTokens: 60, outputTokens: 8 },
  { streams: 4, promptTokens: 60, outputTokens: 8 },
];

const PRECISIONS: readonly Precision[] = ['q4', 'q8'];
const DEFAULT = 'default plan';
const GOAL_CORES = 16;
/** The default may be as much slower than the best division that was tried. */
const NEAR_ENOUGH = 0.9;

export const scalingSuite: Suite = {
  name: 'scaling',
  description:
    'output tokens a second by cores and streams, the default plan and other divisions of the cores',
  shows: 'the default within 10 % of the best; on 16 cores >= 5x two at 16 streams, >= 6.5x at 64',
  async run(options) {
    const tables: Table[] = [];
    const claims: Claim[] = [];
    for (const dtype of options.dtype === undefined ? PRECISIONS : [options.dtype]) {
      const model = await BenchModel.open(options, dtype);
      const machine = thisMachine(model.directory, resolveConfig({}));
      await using sides = await Sides.start(model, machine);
      for (const load of options.quick ? QUICK_LOADS : LOADS) {
        const result = await compare(model, sides, load, options);
        tables.push(result);
        claims.push(...claimsOf(result, load, dtype, machine));
      }
    }
    const bars = tables.flatMap(({ title: group, rows }) =>
      rows.map(({ name, perSecond: value }) => ({ group, name, value })),
    );
    const title = 'Output tokens a second';
    return { tables, claims, charts: [{ kind: 'bars', name: 'scaling', title, y: title, bars }] };
  },
};

/** Engines by what they are called in tables; the first is what others are compared with. */
class Sides implements AsyncDisposable {
  readonly engines: readonly (readonly [name: string, engine: Troupe])[];

  private constructor(engines: readonly (readonly [string, Troupe])[]) {
    this.engines = engines;
  }

  static async start(model: BenchModel, machine: Machine): Promise<Sides> {
    const engines: (readonly [string, Troupe])[] = [];
    try {
      for (const [name, options] of divisions(machine))
        engines.push([name, await model.startTroupe(options)]);
    } catch (error) {
      await new Sides(engines)[Symbol.asyncDispose]();
      throw error;
    }
    return new Sides(engines);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [, engine] of this.engines) await engine.stop();
  }
}

/** The plans of 2, 4, 8 … cores, all ways of dividing these by powers of two, and what is started when nothing is said. */
function divisions(machine: Machine): Map<string, TroupeOptions> {
  const { cores } = machine;
  const found = new Map<string, TroupeOptions>();
  const add = (count: number, threads: number) =>
    found.set(`${count} × ${threads}`, { pd: { count, threads } });
  for (let fewer = Math.min(2, cores); fewer <= cores; fewer *= 2) {
    const { count, threads } = planThreads('aggregated', {}, { ...machine, cores: fewer }).pd;
    add(count, threads);
  }
  for (let threads = 1; threads <= cores; threads *= 2) add(Math.floor(cores / threads), threads);
  return found.set(DEFAULT, {});
}

async function compare(
  { prompts, label }: BenchModel,
  { engines }: Sides,
  { streams, promptTokens, outputTokens }: Load,
  options: SuiteOptions,
): Promise<Table> {
  const tasks = engines.map(([name, engine]): Task => {
    const run = async () => {
      const asked = prompts.requests(streams, promptTokens, outputTokens);
      const startedAt = performance.now();
      const results = await Promise.all(asked.map((request) => engine.chat(toChatOptions(request))));
      const ms = performance.now() - startedAt;
      const tokens = results.reduce((sum, { usage }) => sum + usage.completionTokens, 0);
      if (tokens !== streams * outputTokens) throw new Error(`${name} made ${tokens} tokens`);
      return ms;
    };
    return { name, operations: streams * outputTokens, run };
  });
  for (const [, engine] of engines) await engine.chat(toChatOptions(prompts.request(40, 4)));
  const [first, ...rest] = tasks;
  if (first === undefined) throw new Error('no division of the cores');
  const title = `${streams} at once, ${promptTokens} + ${outputTokens} tokens, ${label}`;
  return await measure(title, 'output token', [first, ...rest], options, longCalls(options));
}

function claimsOf(result: Table, { streams, goal }: Load, dtype: string, { cores }: Machine): Claim[] {
  const ours = ratioOf(result, DEFAULT);
  const best = Math.max(...result.rows.filter(({ name }) => name !== DEFAULT).map(({ ratio }) => ratio));
  const what = `${streams} at once, ${dtype}, ${cores} cores`;
  const near: Claim = {
    text: `The default plan against the best division, ${what}`,
    measured: ours / best,
    unit: '×',
    goal: { atLeast: NEAR_ENOUGH },
  };
  if (goal === undefined || cores < GOAL_CORES) return [near];
  const text = `The default plan against that of 2 cores, ${what}`;
  return [near, { text, measured: ours, unit: '×', goal: { atLeast: goal } }];
}
