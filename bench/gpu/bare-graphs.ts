/** A model's graphs on one provider: on the CPU the decoder that the engine runs there, on a GPU the export. */

import { median } from 'simple-statistics';
import { type InferenceSession, Tensor } from '../../actors/inference/onnxruntime.ts';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { resolveConfig } from '../../src/config/resolve-config.ts';
import { thisMachine } from '../../src/config/this-machine.ts';
import { planThreads } from '../../src/config/thread-plan.ts';
import { openModel } from '../../src/inspect/load-model.ts';
import { BareDecoder } from '../bare/bare-decoder.ts';
import { type BareDevice, openBareSession } from '../bare/bare-session.ts';
import { engineGraphOf } from '../bare/engine-graph.ts';
import { pixelsOf, promptOf } from '../embedded-model.ts';
import type { Precision } from '../generated-model/precision.ts';
import { tileSideOf } from '../tile-side.ts';
import { type BareReader, FetchingReader, KeepingReader } from './bare-reader.ts';
import type { BareAnswer, BareTask } from './bare-task.ts';
import { PicturePrompts } from './picture-prompts.ts';

const MOST_RUNS = 20;
const ENOUGH_MS = 400;

export class BareGraphs {
  readonly #directory: ModelDirectory;
  readonly #vision: InferenceSession;
  readonly #decoder: BareDecoder;

  readonly #fetching: BareReader;
  readonly #keeping: BareReader | undefined;
  readonly #prompts: PicturePrompts;

  private constructor(
    directory: ModelDirectory,
    vision: InferenceSession,
    decoder: BareDecoder,
    keeping: BareReader | undefined,
    prompts: PicturePrompts,
  ) {
    this.#directory = directory;
    this.#vision = vision;
    this.#decoder = decoder;
    this.#fetching = new FetchingReader(directory, vision, decoder);
    this.#keeping = keeping;
    this.#prompts = prompts;
  }

  /** @throws Error when the provider cannot start */
  static async open(path: string, dtype: Precision, provider: BareDevice['provider']): Promise<BareGraphs> {
    const directory = await openModel({ model: path, dtype: dtype, promptTemplate: undefined });
    const { threads } = planThreads('aggregated', {}, thisMachine(directory, resolveConfig({}))).pd;
    const { vision, decoder } = directory.graphs;
    if (vision === undefined) throw new Error(`${path} has no vision graph`);
    const graph = provider === 'cpu' ? engineGraphOf(directory) : decoder;
    const bareDecoder = await BareDecoder.load(directory, threads, graph, provider);
    return new BareGraphs(
      directory,
      await openBareSession(vision, threads, { provider }),
      bareDecoder,
      provider === 'webgpu' ? await KeepingReader.open(directory, bareDecoder) : undefined,
      await PicturePrompts.for(directory),
    );
  }

  async answer(task: BareTask): Promise<BareAnswer> {
    if (task.kind === 'answers') return await this.#read(task);
    if (task.kind === 'vision') return { ms: await this.#encode(task.batch), tokens: [] };
    if (task.kind === 'prefill') return await this.#prefill(task.batch, task.promptTokens);
    return await this.#decode(task);
  }

  async #encode(tiles: number): Promise<number> {
    const side = tileSideOf(this.#directory);
    const [input = 'pixel_values'] = this.#vision.inputNames;
    const pixels = new Tensor('float32', pixelsOf(tiles, side), [1, tiles, 3, side, side]);
    return await medianMs(() => this.#vision.run({ [input]: pixels }));
  }

  async #prefill(batch: number, promptTokens: number): Promise<BareAnswer> {
    const prompts = this.#textPrompts(batch, promptTokens);
    const tokens: number[] = [];
    const ms = await medianMs(async () => {
      tokens.splice(0, batch, ...(await this.#decoder.prefill(prompts, promptTokens)));
    });
    return { ms, tokens };
  }

  async #decode({ batch, promptTokens, steps }: Extract<BareTask, { kind: 'decode' }>): Promise<BareAnswer> {
    let next = await this.#decoder.prefill(this.#textPrompts(batch, promptTokens), promptTokens + steps);
    const times: number[] = [];
    const tokens = [...next];
    for (let step = 0; step < steps; step++) {
      const from = performance.now();
      next = await this.#decoder.step(next);
      times.push(performance.now() - from);
      tokens.push(...next);
    }
    return { ms: median(times), tokens };
  }

  async #read({ requests, features }: Extract<BareTask, { kind: 'answers' }>): Promise<BareAnswer> {
    const reader = features === 'kept' ? this.#keeping : this.#fetching;
    if (reader === undefined) throw new Error('features cannot stay on a GPU that is not used');
    const times: number[] = [];
    const answers: (readonly number[])[] = [];
    for (const request of requests) {
      const { tokens, firstTokenMs } = await reader.read(
        await this.#prompts.promptOf(request),
        request.maxTokens,
      );
      times.push(firstTokenMs);
      answers.push(tokens);
    }
    return { ms: median(times), tokens: answers.flat(), answers };
  }

  /** Another one in each row. */
  #textPrompts(batch: number, tokens: number): Int32Array[] {
    const prompt = promptOf(tokens, this.#directory);
    return Array.from({ length: batch }, (_, row) =>
      prompt.map((id, index) => ((index + row) % 3 === 0 ? id + row : id)),
    );
  }
}

/** A card that has waited for the other side's turn runs slowly at first, so one run is not enough. */
async function medianMs(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  let total = 0;
  while (times.length < MOST_RUNS && total < ENOUGH_MS) {
    const startedAt = performance.now();
    await run();
    const ms = performance.now() - startedAt;
    times.push(ms);
    total += ms;
  }
  return median(times);
}
