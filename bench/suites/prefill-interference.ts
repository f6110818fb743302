/** What running streams feel of a long prompt that is prefilled beside them. */
import { median, quantile } from 'simple-statistics';
import type { Troupe } from '../../src/index.ts';
import { BenchModel } from '../bench-model.ts';
import { longCalls, table } from '../measure.ts';
import type { Suite } from '../suite.ts';
import { TimedStream } from '../timed-stream.ts';

const STREAMS = 4;
const RUNNING_PROMPT = 100;
const LONG_PROMPT = 2000;
const QUICK_LONG_PROMPT = 200;
/** Pieces of each stream before the long prompt comes. */
const PIECES = 100;
const QUICK_PIECES = 20;
const LONG_ENOUGH = 4000;

export const prefillInterferenceSuite: Suite = {
  name: 'prefill-interference',
  description: 'inter-token latency of 4 running streams while a 2,000-token prompt prefills beside them',
  shows: 'its p99 is <= 2x of that without the prompt',
  async run(options) {
    const model = await BenchModel.open(options, options.dtype ?? 'q4');
    await using engine = await model.startTroupe();
    await turn(engine, model, QUICK_PIECES, QUICK_LONG_PROMPT);
    const pieces = options.quick ? QUICK_PIECES : PIECES;
    const length = options.quick ? QUICK_LONG_PROMPT : LONG_PROMPT;
    const turns: Turn[] = [];
    for (let round = 0; round < longCalls(options).rounds; round++) {
      turns.push(await turn(engine, model, pieces, length));
    }
    const column = (name: string, read: (turn: Turn) => number) => ({ name, roundsMs: turns.map(read) });
    const title = `Inter-token latency of ${STREAMS} streams beside a prompt of ${length} tokens, ${model.label}`;
    const p99 = table(`${title}, p99`, 'token', [
      column('alone', ({ alone }) => quantile(alone, 0.99)),
      column('while it prefills', ({ beside }) => quantile(beside, 0.99)),
    ]);
    const middle = table(`${title}, median`, 'token', [
      column('alone', ({ alone }) => quantile(alone, 0.5)),
      column('while it prefills', ({ beside }) => quantile(beside, 0.5)),
    ]);
    const firstToken = median(turns.map(({ timeToFirstToken }) => timeToFirstToken));
    const own = { name: 'Time to first token of the long prompt, median', value: firstToken, unit: ' ms' };
    const text = `p99 inter-token latency beside a prompt of ${length} tokens, against alone`;
    const measured = 1 / (p99.rows[1]?.ratio ?? Number.NaN);
    return {
      tables: [p99, middle],
      figures: [{ title: 'The long prompt itself', rows: [own] }],
      claims: [{ text, measured, unit: '×', goal: { atMost: 2 } }],
      charts: [
        {
          kind: 'lines',
          joined: false,
          name: 'prefill-interference',
          title: 'Time before each token of one of the running streams',
          x: 'seconds since the long prompt was submitted',
          y: 'milliseconds',
          lines: [{ name: model.label, points: turns.at(-1)?.timeline ?? [] }],
        },
      ],
    };
  },
};

interface Turn {
  /** Gaps between pieces of all streams, milliseconds, before the prompt was submitted. */
  readonly alone: number[];
  /** From then until its first token. */
  readonly beside: number[];
  readonly timeToFirstToken: number;
  /** Of the first stream: arrival, relative to the prompt's submission, and the gap before it. */
  readonly timeline: readonly (readonly [seconds: number, ms: number])[];
}

async function turn(engine: Troupe, { prompts }: BenchModel, pieces: number, length: number): Promise<Turn> {
  const requests = prompts.requests(STREAMS, RUNNING_PROMPT, LONG_ENOUGH);
  const streams = requests.map((request) => new TimedStream(engine, request));
  const open = [...streams];
  try {
    await Promise.all(streams.map(({ started }) => started));
    const from = performance.now();
    await Promise.all(streams.map((stream) => stream.reached(stream.arrivals.length + pieces)));
    const long = new TimedStream(engine, prompts.request(length, LONG_ENOUGH));
    open.push(long);
    await long.started;
    const firstAt = long.submittedAt + long.timeToFirstToken;
    // The gap that the prompt's last part makes ends after its first token.
    await Promise.all(streams.map((stream) => stream.reached(stream.arrivals.length + 2)));
    const to = performance.now();
    const gaps = (start: number, end: number) => streams.flatMap((stream) => stream.gaps(start, end));
    const arrivals = streams[0]?.arrivals ?? [];
    const timeline = arrivals.flatMap((at, index) => {
      const before = arrivals[index - 1];
      return before === undefined || at < from
        ? []
        : [[(at - long.submittedAt) / 1000, at - before] as const];
    });
    return {
      alone: gaps(from, long.submittedAt),
      beside: gaps(long.submittedAt, Math.min(to, firstAt + 1000)),
      timeToFirstToken: long.timeToFirstToken,
      timeline,
    };
  } finally {
    await Promise.all(open.map((stream) => stream.abort()));
  }
}
