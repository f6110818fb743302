/** All arrangements on one model, one after the other in every round. */
import process from 'node:process';
import { median } from 'simple-statistics';
import { formatMs } from '../format.ts';
import { longCalls, table } from '../measure.ts';
import type { FigureTable, SuiteOptions, Table } from '../suite.ts';
import type { AnswerFigures, EngineAnswer } from './engine-task.ts';
import type { ModelLoads } from './loads.ts';
import { type Engine, SIDES, type Side, startEngine } from './sides.ts';

export interface Comparison {
  readonly tables: readonly Table[];
  readonly figures: readonly FigureTable[];
}

export async function compareSides(loads: ModelLoads, options: SuiteOptions): Promise<Comparison> {
  const engines: (readonly [Side, Engine])[] = [];
  try {
    for (const side of SIDES) engines.push([side, await startEngine(side, loads.engine)]);
    const measured: Measured[] = [];
    for (const batch of loads.batches) measured.push(await measureAt(batch, loads, engines, options));
    return {
      tables: measured.flatMap((one) => tablesOf(one, loads.label)),
      figures: [
        stages(measured, loads.label),
        embeddings(measured, loads.label),
        crossings(measured, loads.label),
        promptRuns(measured, loads.label),
      ],
    };
  } finally {
    for (const [, engine] of engines) await engine.stop();
  }
}

interface Measured {
  readonly batch: number;
  readonly sides: ReadonlyMap<Side, readonly EngineAnswer[]>;
}

async function measureAt(
  batch: number,
  loads: ModelLoads,
  engines: readonly (readonly [Side, Engine])[],
  options: SuiteOptions,
): Promise<Measured> {
  const { rounds } = longCalls(options, loads.rounds);
  const sides = new Map<Side, EngineAnswer[]>(engines.map(([side]) => [side, []]));
  // The first turn compiles shaders for this batch, and is not counted.
  for (let round = -1; round < rounds; round++) {
    const requests = await loads.requests(batch);
    const answered: EngineAnswer[] = [];
    for (const [side, engine] of engines) {
      const answer = await engine.ask({ requests, inFlight: batch });
      answered.push(answer);
      if (round >= 0) sides.get(side)?.push(answer);
      const turn = round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`;
      process.stderr.write(
        `  ${loads.label}, batch ${batch}, ${turn}, ${side.name}: ${formatMs(answer.ms)}\n`,
      );
    }
    checkTokens(answered);
  }
  return { batch, sides };
}

/** What is compared must do the same work. Near ties may go the other way; the number of tokens may hardly change. */
function checkTokens(answers: readonly EngineAnswer[]): void {
  const counts = answers.map(tokensOf);
  const most = Math.max(...counts);
  if (counts.some((count) => count < 0.9 * most)) {
    throw new Error(`the arrangements made ${counts.join(', ')} tokens of the same requests`);
  }
}

function tablesOf({ batch, sides }: Measured, label: string): Table[] {
  const rows = (read: (answer: EngineAnswer) => number) =>
    [...sides].map(([{ name }, answers]) => ({ name, roundsMs: answers.map(read) }));
  const of = `batch ${batch}, ${label}`;
  return [
    table(
      `Output tokens of whole requests, ${of}`,
      'output token',
      rows((one) => one.ms / tokensOf(one)),
    ),
    table(
      `Time to first token, ${of}`,
      'request',
      rows(({ answers }) => median(answers.map(({ timeToFirstTokenMs }) => timeToFirstTokenMs))),
    ),
  ];
}

const STAGES = {
  encode: ({ encodeMs }) => encodeMs,
  prefill: ({ prefillMs }) => prefillMs,
  'between tokens': ({ interTokenMs }) => interTokenMs,
} satisfies Record<string, (figures: AnswerFigures) => number>;

function stages(measured: readonly Measured[], label: string): FigureTable {
  const rows = Object.entries(STAGES).flatMap(([stage, read]) =>
    medians(measured, read).map(({ name, value }) => ({ name: `${stage}, ${name}`, value, unit: ' ms' })),
  );
  return { title: `Stages of a request, ${label}`, rows };
}

function embeddings(measured: readonly Measured[], label: string): FigureTable {
  const rows = medians(measured, ({ embeddingBytes }) => embeddingBytes);
  return {
    title: `Image embeddings between actors, a request, ${label}`,
    rows: rows.map((row) => ({ ...row, unit: ' B' })),
  };
}

function crossings(measured: readonly Measured[], label: string): FigureTable {
  const rows = measured.flatMap(({ batch, sides }) =>
    [...sides].flatMap(([{ name }, answers]) =>
      (['hostToDeviceBytes', 'deviceToHostBytes'] as const).map((way) => ({
        name: `${way === 'hostToDeviceBytes' ? 'to' : 'from'} the GPU, batch ${batch}: ${name}`,
        value: Math.round(median(answers.map((answer) => answer[way] / tokensOf(answer)))),
        unit: ' B',
      })),
    ),
  );
  return {
    title: `Across the GPU's bus, an output token, ${label}`,
    rows: rows.filter(({ value }) => value > 0),
  };
}

/** Fewer than a prompt has where the driver was found to be wrong about long runs. */
function promptRuns([measured]: readonly Measured[], label: string): FigureTable {
  const rows = [...(measured?.sides ?? [])].flatMap(([{ name }, answers]) =>
    answers.slice(0, 1).map(({ promptTokensPerRun: value }) => ({ name, value, unit: ' tokens' })),
  );
  return {
    title: `Most tokens of a prompt in a run on the GPU, ${label}`,
    rows: rows.filter(({ value }) => value > 0),
  };
}

/** Over all requests of all rounds. */
function medians(measured: readonly Measured[], read: (figures: AnswerFigures) => number) {
  return measured.flatMap(({ batch, sides }) =>
    [...sides].map(([{ name }, answers]) => ({
      name: `batch ${batch}: ${name}`,
      value: median(answers.flatMap((one) => one.answers.map(read))),
    })),
  );
}

function tokensOf({ answers }: EngineAnswer): number {
  return answers.reduce((sum, { completionTokens }) => sum + completionTokens, 0);
}
