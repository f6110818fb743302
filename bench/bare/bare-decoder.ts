/** A language model decoding greedily in a bare loop of `session.run`: all rows in step, nothing joins or leaves. */
import { type InferenceSession, Tensor } from '../../actors/inference/onnxruntime.ts';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { LIKELIEST } from '../../actors/model/rewrite/likeliest.ts';
import {
  type BareCache,
  cacheNames,
  floatsOf,
  GrowingCache,
  outputOf,
  SlotCache,
  type Tensors,
} from './bare-cache.ts';
import { type BareDevice, type BareGraph, openBareSession } from './bare-session.ts';

export class BareDecoder {
  readonly #embed: InferenceSession;
  readonly #decoder: InferenceSession;
  readonly #cache: BareCache;
  /** Whether the graph has the likeliest token as an output. The loop then fetches no logits, as the engine does. */
  readonly #choosesItself: boolean;
  readonly #fetches: readonly string[];
  /** Of `position_ids` `[axes, rows, length]`; undefined where they are `[rows, length]`. */
  readonly #positionAxes: number | undefined;
  #length = 0;

  private constructor(embed: InferenceSession, decoder: InferenceSession, cache: BareCache) {
    this.#embed = embed;
    this.#decoder = decoder;
    this.#cache = cache;
    this.#choosesItself = decoder.outputNames.includes(LIKELIEST.token);
    this.#positionAxes = axesOf(decoder);
    this.#fetches = decoder.outputNames.filter((name) => name !== 'logits' || !this.#choosesItself);
  }

  /**
   * @param decoderGraph where it is not the directory's own
   * @param provider of the decoder; tokens are embedded on the CPU, and on a GPU `present.*` stays there
   */
  static async load(
    { graphs, geometry }: ModelDirectory,
    threads: number,
    decoderGraph: BareGraph = graphs.decoder,
    provider: BareDevice['provider'] = 'cpu',
  ): Promise<BareDecoder> {
    if (graphs.embed === undefined) throw new Error('the model has no token embedding graph');
    // As the engine does: it copies rows.
    const embed = await openBareSession(graphs.embed, 1);
    const kept = provider === 'cpu' ? [] : cacheNames(geometry).map((name) => `present.${name}`);
    const decoder = await openBareSession(decoderGraph, threads, { provider, kept });
    const rewritten = decoder.outputNames.includes('new.0.key');
    return new BareDecoder(embed, decoder, rewritten ? new SlotCache(geometry) : new GrowingCache(geometry));
  }

  /**
   * Forgets everything and runs prompts of one length, together.
   * @param capacity tokens that a row will come to. Default: the prompt alone
   * @returns the most likely next token of each row
   */
  async prefill(prompts: readonly Int32Array[], capacity = prompts[0]?.length ?? 0): Promise<Int32Array> {
    this.#length = 0;
    this.#cache.reset(prompts.length, capacity);
    const length = prompts[0]?.length ?? 0;
    const ids = new Int32Array(prompts.length * length);
    for (const [row, prompt] of prompts.entries()) ids.set(prompt, row * length);
    return await this.#run(ids, prompts.length);
  }

  /** `[rows, ids.length / rows, hidden]` */
  async embed(ids: Int32Array, rows: number): Promise<Tensor> {
    const dims = [rows, ids.length / rows];
    return outputOf(await this.#embed.run({ input_ids: int64(ids, dims) }), 'inputs_embeds');
  }

  /** Forgets everything and runs one prompt that is embedded already, wherever its embeddings lie. */
  async prefillEmbedded(embeds: Tensor, capacity: number): Promise<Int32Array> {
    this.#length = 0;
    this.#cache.reset(1, capacity);
    return await this.#runEmbedded(embeds);
  }

  /** One more token in each row. @returns the one after it */
  async step(tokens: Int32Array): Promise<Int32Array> {
    return await this.#run(tokens, tokens.length);
  }

  async release(): Promise<void> {
    await this.#embed.release();
    await this.#decoder.release();
  }

  async #run(ids: Int32Array, rows: number): Promise<Int32Array> {
    return await this.#runEmbedded(await this.embed(ids, rows));
  }

  async #runEmbedded(embeds: Tensor): Promise<Int32Array> {
    const [rows = 0, length = 0] = embeds.dims;
    const axes = this.#positionAxes;
    const positions = Int32Array.from(
      { length: (axes ?? 1) * rows * length },
      (_, index) => this.#length + (index % length),
    );
    const optional: Tensors = {
      position_ids: int64(positions, [...(axes === undefined ? [] : [axes]), rows, length]),
      num_logits_to_keep: int64(Int32Array.of(1), []),
    };
    const feeds = Object.fromEntries(
      Object.entries(optional).filter(([name]) => this.#decoder.inputNames.includes(name)),
    );
    const outputs: Tensors = await this.#decoder.run(
      { ...this.#cache.feeds(length), ...feeds, inputs_embeds: embeds },
      this.#fetches,
    );
    this.#cache.take(outputs, length);
    this.#length += length;
    return this.#choosesItself
      ? chosen(outputOf(outputs, LIKELIEST.token))
      : mostLikely(outputOf(outputs, 'logits'));
  }
}

function axesOf({ inputMetadata }: InferenceSession): number | undefined {
  const positions = inputMetadata.find(({ name }) => name === 'position_ids');
  if (positions === undefined || !positions.isTensor || positions.shape.length !== 3) return undefined;
  return Number(positions.shape[0]);
}

function int64(values: Int32Array, dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}

/** @param tokens `[rows, positions, 1]` */
function chosen({ data, dims }: Tensor): Int32Array {
  const [rows = 0, positions = 0] = dims;
  return Int32Array.from({ length: rows }, (_, row) => Number(data[(row + 1) * positions - 1]));
}

/** @param logits `[rows, positions, vocabulary]`. @returns the best token at each row's last position */
function mostLikely(logits: Tensor): Int32Array {
  const [rows = 0, positions = 0, vocabulary = 0] = logits.dims;
  const values = floatsOf(logits);
  return Int32Array.from({ length: rows }, (_, row) => {
    const start = ((row + 1) * positions - 1) * vocabulary;
    let best = 0;
    for (let token = 1; token < vocabulary; token++) {
      if ((values[start + token] ?? 0) > (values[start + best] ?? 0)) best = token;
    }
    return best;
  });
}
