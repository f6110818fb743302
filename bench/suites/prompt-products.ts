/**
 * What prompts in 8 bits (`pd.promptProducts`) gain and cost on a decoder in 4: the time of prompts, both ways in turn; what
 * is predicted behind prompts, against 32 bits; greedy texts of the embedded model, against its texts in 32 bits.
 */
import type { PromptProducts } from '../../actors/model/prompt-products.ts';
import { ModelRunner } from '../../actors/pd/runner/model-runner.ts';
import { argmax } from '../../actors/pd/sampler/greedy.ts';
import { Troupe } from '../../src/index.ts';
import { openModel } from '../../src/inspect/load-model.ts';
import { BenchModel } from '../bench-model.ts';
import { EMBEDDED_MODEL, promptOf, THREADS } from '../embedded-model.ts';
import type { Precision } from '../generated-model/precision.ts';
import { differing, textsOf } from '../greedy-texts.ts';
import { longCalls, measure, ratioOf } from '../measure.ts';
import { comparedRequests } from '../parity-requests.ts';
import { prefillRow } from '../prefill-row.ts';
import type { Claim, FigureTable, Suite, SuiteOptions, Table } from '../suite.ts';

const PROMPT_LENGTHS = [128, 600, 1000];
/** As while no answer is read: see `prefill-pacer.ts`. */
const WHOLE = 640;
const PREDICTED = { prompts: 256, tokens: 64 } as const;
const QUICK_PREDICTED = { prompts: 8, tokens: 32 } as const;
const IN_FLIGHT = 16;
const WAYS = [
  ['q4', 'file', 'as the file has them'],
  ['q4', '8-bit', 'in 8 bits'],
] as const satisfies readonly (readonly [Precision, PromptProducts, string])[];

export const promptProductsSuite: Suite = {
  name: 'prompt-products',
  description: 'prompts in 8 bits of a decoder in 4: their time, what is predicted behind them, greedy texts',
  shows: '>= 1.5x as fast; no more texts change with their batch than with the products of the file',
  async run(options) {
    const { tables, claims } = await speed(options);
    const predicted = await predictions(options);
    const texts = await textsInBits(options);
    return { tables, figures: [predicted, texts.figure], claims: [...claims, ...texts.claims] };
  },
};

async function runnerOf(model: string, dtype: Precision, promptProducts: PromptProducts) {
  const directory = await openModel({ model, dtype, promptTemplate: undefined, promptProducts });
  return await ModelRunner.load(directory, { threads: THREADS, maxRunning: 8, prefixCacheBytes: 0 });
}

async function speed(options: SuiteOptions): Promise<{ tables: Table[]; claims: Claim[] }> {
  const { directory, label } = await BenchModel.open(options, 'q4');
  const runners: { name: string; runner: ModelRunner }[] = [];
  const tables: Table[] = [];
  try {
    for (const [dtype, way, name] of WAYS) {
      runners.push({ name, runner: await runnerOf(directory.path, dtype, way) });
    }
    for (const length of PROMPT_LENGTHS) {
      const prompt = promptOf(length, directory);
      const [first, ...others] = runners.map(({ name, runner }) => ({
        name,
        operations: length,
        run: async () => {
          await prefillRow(runner, prompt, WHOLE);
          runner.remove(0);
        },
      }));
      if (first === undefined) throw new Error('there are two ways');
      for (const { run } of [first, ...others]) await run();
      const title = `Prompts of ${length} tokens, ${label}`;
      tables.push(await measure(title, 'prompt token', [first, ...others], options, longCalls(options, 9)));
    }
  } finally {
    for (const { runner } of runners) await runner.release();
  }
  const claims = tables.map((result) => ({
    text: `${result.title}: in 8 bits, against the file's own products`,
    measured: ratioOf(result, WAYS[1][2]),
    unit: '×',
    goal: { atLeast: 1.5 },
  }));
  return { tables, claims };
}

/** Of what is predicted behind many prompts. */
async function predictions(options: SuiteOptions): Promise<FigureTable> {
  const { directory, prompts } = await BenchModel.open(options, 'q4');
  const { prompts: count, tokens } = options.quick ? QUICK_PREDICTED : PREDICTED;
  const asked = prompts.requests(count, tokens, 1).map((request) => prompts.idsOf(request));
  const logitsOf = async (dtype: Precision, way: PromptProducts) => {
    const runner = await runnerOf(directory.path, dtype, way);
    const logits: Float32Array[] = [];
    for (const ids of asked) {
      const run = runner.begin({ ids, positions: undefined, images: [], logits: true, onImagesRead() {} });
      const predicted = await runner.extend(run, ids.length);
      if (predicted !== undefined) logits.push(predicted.logits(0).slice());
      runner.drop(run);
    }
    await runner.release();
    return logits;
  };
  const [exact, file, bytes] = [
    await logitsOf('fp32', 'file'),
    await logitsOf('q4', 'file'),
    await logitsOf('q4', '8-bit'),
  ];
  const rows = [
    ...differences('4 bits, against 32', file, exact),
    ...differences('4 bits with prompts in 8, against 32', bytes, exact),
    ...differences('4 bits with prompts in 8, against 4 bits', bytes, file),
  ];
  return { title: `Logits behind ${count} prompts of ${tokens} tokens, ${directory.modelType} shape`, rows };
}

/** In deviations of all logits, which have no unit. */
function differences(name: string, ours: readonly Float32Array[], theirs: readonly Float32Array[]) {
  let [sum, largest, squares, total, numbers, equal] = [0, 0, 0, 0, 0, 0];
  for (const [index, mine] of ours.entries()) {
    const other = theirs[index] ?? new Float32Array();
    if (argmax(mine) === argmax(other)) equal += 1;
    for (const [at, one] of mine.entries()) {
      const reference = other[at] ?? Number.NaN;
      const off = Math.abs(one - reference);
      largest = Math.max(largest, off);
      sum += off;
      total += reference;
      squares += reference ** 2;
      numbers += 1;
    }
  }
  const deviation = Math.sqrt(squares / numbers - (total / numbers) ** 2);
  return [
    {
      name: `${name}: mean difference, of the logits' deviation`,
      value: sum / numbers / deviation,
      unit: '',
    },
    { name: `${name}: largest difference`, value: largest / deviation, unit: '' },
    { name: `${name}: the same token is the likeliest`, value: (100 * equal) / ours.length, unit: ' %' },
  ];
}

async function textsInBits({ quick }: SuiteOptions): Promise<{ figure: FigureTable; claims: Claim[] }> {
  const requests = comparedRequests({ quick });
  const answers = async (dtype: Precision, promptProducts: PromptProducts, inFlight = IN_FLIGHT) => {
    await using engine = await Troupe.start({ model: EMBEDDED_MODEL, dtype, pd: { promptProducts } });
    return await textsOf(engine, requests, inFlight);
  };
  const exact = await answers('fp32', 'file');
  const file = await answers('q4', 'file');
  const bytes = await answers('q4', '8-bit');
  const inBatch = differing(bytes, await answers('q4', '8-bit', 1)).length;
  const asInFile = differing(file, await answers('q4', 'file', 1)).length;
  const unit = ` of ${requests.length}`;
  const row = (name: string, texts: readonly string[], expected: readonly string[]) => ({
    name,
    value: differing(texts, expected).length,
    unit,
  });
  const figure = {
    title: 'Greedy texts of the embedded model that differ',
    rows: [
      row('4 bits, from 32', file, exact),
      row('4 bits with prompts in 8, from 32', bytes, exact),
      row('4 bits with prompts in 8, from 4 bits', bytes, file),
    ],
  };
  const text = `Texts of ${requests.length} with prompts in 8 bits that change with their batch, at most as many as with the file's own`;
  return { figure, claims: [{ text, measured: inBatch, unit: '', goal: { atMost: asInFile } }] };
}
