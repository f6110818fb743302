/**
 * What a GPU does for the bare graphs: vision, prefill and decode through WebGPU with `present.*` left on the GPU,
 * against the CPU with the graph that the engine runs there. Nobody joins or leaves, so it is the most to be had.
 */
import process from 'node:process';
import { AskedChild, ChildError } from '../asked-child.ts';
import { EMBEDDED_MODEL } from '../embedded-model.ts';
import { generatedModel } from '../generated-model/generate.ts';
import type { Precision } from '../generated-model/precision.ts';
import { onePictureRequests, RequestCycle } from '../golden-requests.ts';
import type { BareAnswer, BareTask } from '../gpu/bare-task.ts';
import { gpuPrompts } from '../gpu/gpu-prompts.ts';
import { longCalls, measure, type Task } from '../measure.ts';
import type { Claim, Suite, SuiteOptions, Table } from '../suite.ts';

type Graphs = AskedChild<BareTask, BareAnswer>;

interface Subject {
  readonly label: string;
  readonly path: string;
  readonly promptTokens: number;
}

const SCRIPT = new URL('../gpu/bare-child.ts', import.meta.url);
/** onnxruntime's own words. */
const NO_ADAPTER = /Failed to get a WebGPU adapter.*/;
const PICTURES = 16;
const KINDS = { vision: 'image', prefill: 'prompt', decode: 'token' } as const;

export const gpuGraphsSuite: Suite = {
  name: 'gpu-graphs',
  description:
    'bare graphs on a GPU (WebGPU) against the CPU: vision, prefill and decode at batch 1, 4 and 16',
  shows: "greedy tokens equal the CPU's on >= 99 % of 200 prompts; skipped where WebGPU finds no GPU",
  async run(options) {
    const dtype = options.dtype ?? 'fp32';
    const embedded = { label: `embedded model, ${dtype}`, path: EMBEDDED_MODEL, promptTokens: 100 };
    const reason = await whyNoGpu(embedded, dtype);
    if (reason !== undefined) return { skipped: reason };
    const parts = [await compare(embedded, dtype, options)];
    const claims = await sameAnswers(embedded, dtype, options);
    // A software driver takes minutes for one picture of the large model, so a short look goes without.
    if (!options.quick) {
      const { attention, layers } = options;
      const path = await generatedModel({ attention, layers });
      const label = `${layers === undefined ? '256M shape' : `${layers} layers`}, ${dtype}, ${attention}`;
      parts.push(await compare({ label, path, promptTokens: 200 }, dtype, options));
    }
    return {
      tables: parts.flatMap(({ tables }) => tables),
      claims: [...claims, ...parts.map(({ claim }) => claim)],
    };
  },
};

async function whyNoGpu(subject: Subject, dtype: Precision): Promise<string | undefined> {
  try {
    await (await start(subject, dtype, 'webgpu')).stop();
    return undefined;
  } catch (error) {
    if (!(error instanceof ChildError && NO_ADAPTER.test(error.message))) throw error;
    return `WebGPU finds no GPU (${NO_ADAPTER.exec(error.message)?.[0]})`;
  }
}

function start({ path }: Subject, dtype: Precision, provider: 'cpu' | 'webgpu'): Promise<Graphs> {
  return AskedChild.start(`graphs on ${provider}`, SCRIPT, [path, dtype, provider]);
}

async function compare(
  subject: Subject,
  dtype: Precision,
  options: SuiteOptions,
): Promise<{ tables: Table[]; claim: Claim }> {
  const [batches, steps] = options.quick ? [[1], 4] : [[1, 4, 16], 24];
  const sides: [string, Graphs][] = [];
  try {
    sides.push(['CPU', await start(subject, dtype, 'cpu')], ['GPU', await start(subject, dtype, 'webgpu')]);
    const tables: Table[] = [];
    const different = new Set<string>();
    for (const kind of ['vision', 'prefill', 'decode'] as const) {
      const tasks: Task[] = [];
      for (const batch of batches) {
        const task: BareTask = { kind, batch, promptTokens: subject.promptTokens, steps };
        const answers: string[] = [];
        for (const [name, graphs] of sides) {
          // Twice: shaders are compiled at the first run of a shape.
          await graphs.ask(task);
          answers.push((await graphs.ask(task)).tokens.join());
          const run = async () => (await graphs.ask(task)).ms;
          tasks.push({ name: `${name}, batch ${batch}`, operations: batch, run });
        }
        if (new Set(answers).size > 1) different.add(`${kind}, batch ${batch}`);
      }
      const [first, ...others] = tasks;
      if (first === undefined) throw new Error('there is no batch');
      const title = `${kind[0]?.toUpperCase()}${kind.slice(1)}, ${subject.label}`;
      tables.push(await measure(title, KINDS[kind], [first, ...others], options, longCalls(options, 5)));
    }
    tables.push(await firstTokens(subject, sides, options));
    const text = `Batches whose greedy tokens on the GPU differ from the CPU's, ${subject.label}`;
    return { tables, claim: { text, measured: different.size, unit: '', goal: { atMost: 0 } } };
  } finally {
    for (const [, graphs] of sides) await graphs.stop();
  }
}

/** How a picture's features come to the decoder, and what that costs. */
async function firstTokens(
  { label }: Subject,
  sides: readonly (readonly [string, Graphs])[],
  options: SuiteOptions,
): Promise<Table> {
  const requests = new RequestCycle(onePictureRequests)
    .take(options.quick ? 1 : PICTURES)
    .map((request) => ({ ...request, maxTokens: 1 }));
  const task = (name: string, graphs: Graphs, features: 'kept' | 'fetched'): Task => ({
    name,
    run: async () => (await graphs.ask({ kind: 'answers', requests, features })).ms,
  });
  const tasks = sides.flatMap(([name, graphs]) => [
    task(name, graphs, 'fetched'),
    ...(name === 'GPU' ? [task('GPU, features kept there', graphs, 'kept')] : []),
  ]);
  for (const { run } of tasks) await run();
  const [first, ...others] = tasks;
  if (first === undefined) throw new Error('there is nothing to compare');
  return await measure(
    `Pixels to first token, ${label}`,
    'request',
    [first, ...others],
    options,
    longCalls(options, 5),
  );
}

/** Greedy answers to prompts of every kind, of either side. */
async function sameAnswers(subject: Subject, dtype: Precision, options: SuiteOptions): Promise<Claim[]> {
  const requests = gpuPrompts(options.quick);
  const answersOf = async (provider: 'cpu' | 'webgpu', features: 'kept' | 'fetched'): Promise<string[]> => {
    const graphs = await start(subject, dtype, provider);
    try {
      const { answers = [] } = await graphs.ask({ kind: 'answers', requests, features });
      return answers.map((tokens) => tokens.join(' '));
    } finally {
      await graphs.stop();
    }
  };
  const expected = await answersOf('cpu', 'fetched');
  const answers = await answersOf('webgpu', 'kept');
  const equal = requests.filter((request, index) => {
    if (answers[index] === expected[index]) return true;
    const asked = JSON.stringify(request.messages);
    process.stderr.write(`  ${asked}\n    GPU ${answers[index]}\n    CPU ${expected[index]}\n`);
    return false;
  }).length;
  const text = `Of ${requests.length} prompts, those whose greedy tokens on the GPU are the CPU's, ${subject.label}`;
  return [{ text, measured: (100 * equal) / requests.length, unit: ' %', goal: { atLeast: 99 } }];
}
