/**
 * What a token of one stream is made of, and what it cannot be faster than: the products with weights alone, attention over the past
 * alone, the graph of a step in a bare loop (and the whole decoder, which decides in each layer that it is a step), the
 * engine's runner, and whole requests through the engine. In turn, a few steps of each at a time, so that a machine that
 * others use too slows all of them down. Where there is a llama.cpp, its decode stands beside them.
 */
import { median } from 'simple-statistics';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { ModelRunner } from '../../actors/pd/runner/model-runner.ts';
import { shareWeights } from '../../src/share-weights.ts';
import type { BareGraph } from '../bare/bare-session.ts';
import { engineGraphOf } from '../bare/engine-graph.ts';
import { openPastAlone } from '../bare/past-alone.ts';
import { openProductsAlone } from '../bare/products-alone.ts';
import { openStepAlone, stepsGraphOf } from '../bare/step-alone.ts';
import { BenchModel } from '../bench-model.ts';
import { promptOf, THREADS } from '../embedded-model.ts';
import { LlamaPeers } from '../llama/llama-peers.ts';
import { askLlama, askTroupe, turnOf } from '../llama/llama-run.ts';
import { type Measured, ratioBetween, table } from '../measure.ts';
import type { LlamaAnswer } from '../peers/llama-request.ts';
import type { PeerRequest } from '../peers/peer-request.ts';
import { prefillRow } from '../prefill-row.ts';
import type { Suite } from '../suite.ts';

const PROMPT = 1000;
const ANSWER = 128;
const QUICK = { prompt: 60, answer: 16 } as const;
const ROUNDS = 5;
/** Of one side before the next has its turn. */
const STEPS_AT_ONCE = 8;

const WHOLE = 'the whole decoder’s graph, bare';
const GRAPH = 'the graph of a step, bare';
const RUNNER = 'the engine’s runner';
const ENGINE = 'Troupe, requests to text';

/** One that can be stepped. */
interface Stepped {
  readonly name: string;
  /** Before each round. */
  begin?(): Promise<void>;
  step(): Promise<unknown>;
}

/** One that answers a request at a time. */
interface Answering {
  readonly name: string;
  answer(requests: readonly PeerRequest[]): Promise<LlamaAnswer>;
}

export const stepLimitsSuite: Suite = {
  name: 'step-limits',
  description:
    'a token of one stream: its products alone, attention alone, the bare graph, the runner, the engine, llama.cpp',
  shows: '>= 0.95x of the bare graph, which is what onnxruntime’s operators take',
  async run(options) {
    const model = await BenchModel.open(options, options.dtype ?? 'q4');
    const { prompts, label } = model;
    const directory = await packed(model.directory);
    const { geometry } = directory;
    const { prompt, answer } = options.quick ? QUICK : { prompt: PROMPT, answer: ANSWER };
    const capacity = prompt + answer;
    await using engine = await model.startTroupe({ pd: { threads: THREADS } });
    await using peers = await LlamaPeers.start(model.directory, { slots: 1, tokens: capacity + 1 });
    const graph: BareGraph = { ...engineGraphOf(directory), optimized: true };
    const products = await openProductsAlone(graph, THREADS);
    const past = await openPastAlone(geometry, capacity, THREADS);
    const whole = await openStepAlone(graph, geometry, capacity, THREADS);
    const steps = await openStepAlone((await stepsGraphOf(graph)) ?? graph, geometry, capacity, THREADS);
    const runner = await ModelRunner.load(directory, {
      threads: THREADS,
      maxRunning: 1,
      prefixCacheBytes: 0,
    });
    const ids = promptOf(prompt, directory);
    const token = ids.subarray(0, 1);
    const stepped: readonly Stepped[] = [
      { name: `${products.count} products with weights alone`, step: () => products.run() },
      { name: `attention over ${capacity.toLocaleString('en-US')} places alone`, step: () => past.run() },
      { name: WHOLE, step: () => whole.run() },
      { name: GRAPH, step: () => steps.run() },
      {
        name: RUNNER,
        begin: async () => {
          if (runner.rows > 0) runner.remove(0);
          await prefillRow(runner, ids);
        },
        step: () => runner.decode(token, false),
      },
    ];
    const answering: readonly Answering[] = [
      { name: ENGINE, answer: (requests) => askTroupe(engine, requests) },
      ...peers.all.map((peer) => ({
        name: peer.name,
        answer: (requests: readonly PeerRequest[]) => askLlama(peer, requests, prompts),
      })),
    ];
    const rounds = new Map([...stepped, ...answering].map(({ name }) => [name, [] as number[]]));
    const note = (name: string, ms: number) => rounds.get(name)?.push(ms);
    try {
      const count = options.rounds ?? (options.quick ? 1 : ROUNDS);
      for (let round = -1; round < count; round++) {
        const medians = await oneRound(stepped, answer);
        for (const { name, answer: ask } of answering) {
          const requests = prompts.requests(1, prompt, answer);
          const { tokenMs } = turnOf(name, await ask(requests), requests);
          medians.set(name, tokenMs);
        }
        // The first one warms up.
        if (round >= 0) for (const [name, ms] of medians) note(name, ms);
      }
      const measured = [...rounds].map(([name, roundsMs]): Measured => ({ name, roundsMs }));
      const graphFirst = [...measured].sort((a, b) => Number(b.name === GRAPH) - Number(a.name === GRAPH));
      const title = `A token of one stream behind ${prompt.toLocaleString('en-US')}, ${label}`;
      const result = table(title, 'token', graphFirst);
      return {
        tables: [result],
        claims: [
          {
            text: 'Decode of one stream, requests to text, against the bare graph of a step',
            measured: ratioBetween(result, ENGINE, GRAPH),
            unit: '×',
            goal: { atLeast: 0.95 },
          },
        ],
      };
    } finally {
      await Promise.all([
        products.release(),
        past.release(),
        whole.release(),
        steps.release(),
        runner.release(),
      ]);
    }
  },
};

/** As the engine's actors share it, so that steps have the graph that they have there. */
async function packed(directory: ModelDirectory): Promise<ModelDirectory> {
  const decoder = {
    graph: 'decoder',
    actors: 2,
    weightBytes: 0,
    share: true,
    why: 'it is measured',
  } as const;
  return (await shareWeights(directory, [decoder])).directory;
}

/** All sides step by step in turn. @returns of each the median step, milliseconds */
async function oneRound(sides: readonly Stepped[], steps: number): Promise<Map<string, number>> {
  const times = new Map(sides.map(({ name }) => [name, [] as number[]]));
  for (const { begin } of sides) await begin?.();
  for (let done = 0; done < steps; done += STEPS_AT_ONCE) {
    for (const { name, step } of sides) {
      for (let i = 0; i < STEPS_AT_ONCE; i++) {
        const startedAt = performance.now();
        await step();
        const ms = performance.now() - startedAt;
        // What the side before has left in the caches is not this one's.
        if (i > 0) times.get(name)?.push(ms);
      }
    }
  }
  return new Map([...times].map(([name, list]) => [name, median(list)]));
}
