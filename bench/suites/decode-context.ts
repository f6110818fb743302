/** What a decode step of a full batch costs as the context grows, seen from outside: the pace of running streams. */
import { median } from 'simple-statistics';
import type { Troupe } from '../../src/index.ts';
import { BenchModel } from '../bench-model.ts';
import { longCalls, measure, type Task } from '../measure.ts';
import type { Suite } from '../suite.ts';
import { TimedStream } from '../timed-stream.ts';

const BATCH = 8;
const CONTEXTS = [100, 500, 1000, 2000] as const;
const QUICK_CONTEXTS = [60, 120] as const;
const STEPS = 24;
/** The first answers go on while the last prompts are run, chunk by chunk. */
const LONG_ENOUGH = 1000;

export const decodeContextSuite: Suite = {
  name: 'decode-context',
  description: 'decode steps of 8 streams at 100, 500, 1000 and 2000 tokens of context',
  shows: 'a step at 2,000 tokens costs <= 1.5x of one at 100',
  async run(options) {
    const model = await BenchModel.open(options, options.dtype ?? 'q4');
    await using engine = await model.startTroupe();
    const contexts = options.quick ? QUICK_CONTEXTS : CONTEXTS;
    const task = (context: number): Task => ({
      name: `${context.toLocaleString('en-US')} tokens`,
      run: () => stepAt(context, engine, model),
    });
    const tasks = contexts.map(task);
    await stepAt(contexts[0], engine, model);
    const [shortest = task(0), ...longer] = tasks;
    const title = `Decode step of ${BATCH} streams, ${model.label}`;
    const result = await measure(title, 'step', [shortest, ...longer], options, longCalls(options));
    const slowdown = 1 / (result.rows.at(-1)?.ratio ?? Number.NaN);
    const text = `A decode step at ${contexts.at(-1)} tokens of context, against ${contexts[0]}`;
    const points = result.rows.map(({ medianMs }, index) => [contexts[index] ?? 0, medianMs] as const);
    return {
      tables: [result],
      claims: [{ text, measured: slowdown, unit: '×', goal: { atMost: 1.5 } }],
      charts: [
        {
          kind: 'lines',
          name: 'decode-context',
          title,
          x: 'tokens of context',
          y: 'milliseconds a step',
          lines: [{ name: model.label, points }],
        },
      ],
    };
  },
};

/** Milliseconds of a step while all streams run; the prompts' own time does not count. */
async function stepAt(context: number, engine: Troupe, { prompts }: BenchModel): Promise<number> {
  const requests = prompts.requests(BATCH, context, LONG_ENOUGH);
  const streams = requests.map((request) => new TimedStream(engine, request));
  try {
    await Promise.all(streams.map(({ started }) => started));
    const from = performance.now();
    await Promise.all(streams.map((stream) => stream.reached(stream.arrivals.length + STEPS)));
    const to = performance.now();
    return median(streams.flatMap((stream) => stream.gaps(from, to)));
  } finally {
    await Promise.all(streams.map((stream) => stream.abort()));
  }
}
