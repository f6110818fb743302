/**
 * The decoder graph: from new tokens and a past to the logits of each row's last token. It knows which of the
 * optional inputs an export has; the past and the mask come from the KV cache (see `kv-cache/`).
 *
 *     inputs   inputs_embeds [rows, length, hidden]  or  input_ids [rows, length]
 *              attention_mask, past_key_values.*                     from the KV cache
 *              position_ids [rows, length] or [axes, rows, length], num_logits_to_keep, where the graph has them
 *              token_type_ids [rows, length]         which tokens see later ones, where the graph has it
 *              deepstack_features.N [rows, length, hidden]           added behind layer N, where the graph has them
 *              pixel_values …                        integrated encoding; no image at decode steps
 *     outputs  logits [rows, length or 1, vocabulary] or likeliest.*, present.* or new.*
 */
import { types } from 'node:util';
import type { GraphSession, TensorSpec, Tensors } from '../../inference/graph-session.ts';
import { Int64Buffer } from '../../inference/int64-buffer.ts';
import { Tensor } from '../../inference/onnxruntime.ts';
import { runFor } from '../../inference/run-for.ts';
import { deepstackNames } from '../../model/deepstack.ts';
import { LIKELIEST } from '../../model/rewrite/likeliest.ts';
import { LIKELIEST_ON_GPU } from '../../model/rewrite/likeliest-on-gpu.ts';
import { NEW_ROWS } from '../../model/rewrite/steps-alone.ts';
import type { EngineImage } from '../engine-request.ts';
import type { KvCache, PromptKv } from '../kv-cache/kv-cache.ts';
import type { GpuLogits } from './gpu-logits.ts';
import { PixelFeeds } from './pixel-feeds.ts';
import { Predictions } from './predictions.ts';

/** What the tokens of one run are fed as, and what is wanted of it. */
export interface TokenFeed {
  /** `[rows × length]`. */
  readonly ids: Int32Array;
  /** `[rows × length, hidden]`, when the graph takes embeddings; a tensor `[rows, length, hidden]` where it lies on the GPU. */
  readonly embeds: Float32Array | Tensor | undefined;
  /** Whether logits are wanted beside the likeliest tokens. */
  readonly logits: boolean;
  /** The one request that they are run for; absent when there are several. */
  readonly requestId?: string | undefined;
  /** `[axes, rows × length]`, flat. Undefined: behind the past, one after the other. */
  readonly positions?: Int32Array | undefined;
  /** `[rows × length]`: tokens of one number > 0 see each other, others see what is before them. Undefined: all 0. */
  readonly tokenTypes?: Int32Array | undefined;
  /** `[rows × length, hidden]` for each layer that adds some; undefined: zeros. */
  readonly deepstack?: readonly Float32Array[] | undefined;
}

/** What a graph of steps gives the cache. */
const STEP_ROWS = { fetches: [NEW_ROWS] } as const;
const LOGITS_TO_KEEP = 'num_logits_to_keep';
const POSITIONS = 'position_ids';
const TOKEN_TYPES = 'token_type_ids';

export class Decoder {
  readonly takesEmbeds: boolean;
  readonly #session: GraphSession;
  readonly #steps: GraphSession | undefined;
  readonly #pixels: PixelFeeds | undefined;
  readonly #takesIds: boolean;
  /** Rows of `position_ids` for each token; 0 without that input. */
  readonly #positionAxes: number;
  readonly #hasAxes: boolean;
  readonly #deepstack: readonly string[];
  readonly #keep: ((positions: number) => Tensors) | undefined;
  readonly #keepLast: Tensors;
  readonly #likeliest: readonly string[] | undefined;
  readonly #onGpu: GpuLogits | undefined;
  readonly #ids = new Int64Buffer();
  readonly #positions = new Int64Buffer();
  readonly #types = new Int64Buffer();
  readonly #mask = new Int64Buffer();
  #zeros = new Float32Array(0);

  /**
   * @param onGpu fetches logits, which then stay on the GPU first; released with the decoder
   * @param steps the same decoder's graph of steps (`steps-alone.ts`); released with the decoder
   */
  constructor(session: GraphSession, onGpu?: GpuLogits, steps?: GraphSession) {
    this.#session = session;
    this.#steps = steps;
    this.#onGpu = onGpu;
    this.takesEmbeds = session.inputs.has('inputs_embeds');
    this.#takesIds = session.inputs.has('input_ids');
    const positions = session.inputs.get(POSITIONS);
    this.#hasAxes = positions?.shape.length === 3;
    this.#positionAxes = positions === undefined ? 0 : axesOf(positions);
    this.#deepstack = deepstackNames(session.inputs.keys());
    this.#pixels = PixelFeeds.of(session);
    this.#likeliest = choiceOf(session);
    const keep = session.inputs.get(LOGITS_TO_KEEP);
    // A scalar in most exports, one element in some.
    const dims = keep?.shape.length === 0 ? [] : [1];
    this.#keep =
      keep &&
      ((positions) => ({ [LOGITS_TO_KEEP]: new Tensor('int64', BigInt64Array.of(BigInt(positions)), dims) }));
    this.#keepLast = this.#keep?.(1) ?? {};
  }

  /** True when a run can say what follows each of its tokens, and not the last alone. */
  get predictsEach(): boolean {
    return this.#keep !== undefined;
  }

  /** True when images go into this graph as pixels. */
  get takesPixels(): boolean {
    return this.#pixels !== undefined;
  }

  /**
   * Runs the next tokens of a prompt at batch 1 and adds them to its keys and values.
   *
   * @param images those whose tokens are among these, for a graph that takes pixels
   * @param shift by how much their positions are ahead of their number
   * @param each whether what each of them predicts is wanted, where `predictsEach`
   * @returns what the last of them predicts, in row 0; or what each does, token by token
   */
  async extend(
    tokens: TokenFeed,
    images: readonly EngineImage[],
    kv: PromptKv,
    cache: Pick<KvCache, 'fetches'>,
    shift = 0,
    each = false,
  ): Promise<Predictions> {
    const count = tokens.ids.length;
    const { length, capacity } = kv;
    const width = capacity + count;
    this.#mask.reset(width);
    for (let i = 0; i < length; i++) this.#mask.set(i, 1);
    for (let i = 0; i < count; i++) this.#mask.set(capacity + i, 1);
    this.#place(tokens, count, (i) => length + i + shift);
    const outputs = await this.#run(tokens, 1, count, cache, {
      ...(await kv.past()),
      attention_mask: new Tensor('int64', this.#mask.view(width), [1, width]),
      ...this.#pixels?.feeds(images),
      ...(each ? this.#keep?.(count) : undefined),
    });
    const predictions = each ? Predictions.ofEach(outputs, count) : new Predictions(outputs);
    kv.take(outputs, 0, count);
    return predictions;
  }

  /**
   * Runs several prompts at once, each whole and from its start, padded on the left to one length: so the last
   * column is each row's last token.
   *
   * @param tokens `[kvs.length × longest]`
   * @returns what the last tokens predict, row by row
   */
  async prefillBatch(
    tokens: TokenFeed,
    lengths: readonly number[],
    kvs: readonly PromptKv[],
    cache: KvCache,
  ): Promise<Predictions> {
    const rows = lengths.length;
    const width = tokens.ids.length / rows;
    this.#mask.reset(rows * width);
    for (const [row, length] of lengths.entries()) {
      for (let i = width - length; i < width; i++) this.#mask.set(row * width + i, 1);
    }
    this.#place(tokens, rows * width, (i) =>
      Math.max(0, (i % width) - width + (lengths[Math.floor(i / width)] ?? 0)),
    );
    const outputs = await this.#run(tokens, rows, width, cache, {
      ...cache.emptyPast(rows),
      attention_mask: new Tensor('int64', this.#mask.view(rows * width), [rows, width]),
    });
    const predictions = new Predictions(outputs);
    for (const [row, kv] of kvs.entries()) kv.take(outputs, row, lengths[row] ?? 0);
    return predictions;
  }

  /**
   * Runs one new token of every row of the cache.
   *
   * @param shifts by how much each row's next position is ahead of its length
   * @returns what they predict, row by row
   */
  async step(tokens: TokenFeed, cache: KvCache, shifts: Int32Array): Promise<Predictions> {
    const { rows, lengths } = cache;
    this.#place(tokens, rows, (row) => (lengths[row] ?? 0) + (shifts[row] ?? 0));
    const feeds = { ...(await cache.stepFeeds()), ...this.#pixels?.none() };
    const outputs = await (this.#steps === undefined
      ? this.#run(tokens, rows, 1, cache, feeds)
      : this.#run(tokens, rows, 1, STEP_ROWS, feeds, this.#steps));
    const predictions = new Predictions(outputs);
    cache.advance(outputs);
    return predictions;
  }

  async release(): Promise<void> {
    await this.#onGpu?.release();
    await this.#steps?.release();
    await this.#session.release();
  }

  /** Writes `position_ids`: those of the feed, or the same `positionOf` in all rows. */
  #place({ positions }: TokenFeed, count: number, positionOf: (index: number) => number): void {
    const axes = this.#positionAxes;
    this.#positions.reset(axes * count);
    for (let axis = 0; axis < axes; axis++) {
      for (let i = 0; i < count; i++) {
        this.#positions.set(axis * count + i, positions?.[axis * count + i] ?? positionOf(i));
      }
    }
  }

  #addDeepstack(feeds: Tensors, { deepstack, embeds }: TokenFeed, rows: number, length: number): void {
    if (this.#deepstack.length === 0) return;
    const size = types.isFloat32Array(embeds) ? embeds.length : (embeds?.size ?? 0);
    if (deepstack === undefined && this.#zeros.length < size) this.#zeros = new Float32Array(size);
    for (const [layer, name] of this.#deepstack.entries()) {
      const data = deepstack?.[layer] ?? this.#zeros.subarray(0, size);
      feeds[name] = new Tensor('float32', data, [rows, length, size / (rows * length)]);
    }
  }

  #run(
    tokens: TokenFeed,
    rows: number,
    length: number,
    cache: Pick<KvCache, 'fetches'>,
    feeds: Tensors,
    session = this.#session,
  ): Promise<Tensors> {
    if (feeds[LOGITS_TO_KEEP] === undefined) Object.assign(feeds, this.#keepLast);
    if (types.isFloat32Array(tokens.embeds)) {
      const hidden = tokens.embeds.length / (rows * length);
      feeds.inputs_embeds = new Tensor('float32', tokens.embeds, [rows, length, hidden]);
    } else if (tokens.embeds !== undefined) feeds.inputs_embeds = tokens.embeds;
    if (this.#takesIds) {
      this.#ids.reset(rows * length);
      for (const [index, id] of tokens.ids.entries()) this.#ids.set(index, id);
      feeds.input_ids = new Tensor('int64', this.#ids.view(rows * length), [rows, length]);
    }
    const axes = this.#positionAxes;
    if (axes > 0) {
      const dims = this.#hasAxes ? [axes, rows, length] : [rows, length];
      feeds[POSITIONS] = new Tensor('int64', this.#positions.view(axes * rows * length), dims);
    }
    if (this.#session.inputs.has(TOKEN_TYPES)) {
      this.#types.reset(rows * length);
      for (const [index, type] of tokens.tokenTypes?.entries() ?? []) this.#types.set(index, type);
      feeds[TOKEN_TYPES] = new Tensor('int64', this.#types.view(rows * length), [rows, length]);
    }
    this.#addDeepstack(feeds, tokens, rows, length);
    const chosen = this.#likeliest ?? [];
    const left = this.#onGpu !== undefined;
    const logits = left || tokens.logits || chosen.length === 0 ? ['logits'] : [];
    const fetches = [...chosen, ...logits, ...cache.fetches];
    return runFor(tokens.requestId, async () => {
      const outputs = await session.run(feeds, fetches);
      return this.#onGpu === undefined ? outputs : await this.#onGpu.take(outputs, tokens.logits);
    });
  }
}

/** Outputs in which the graph itself says what is likeliest; undefined where it does not. */
function choiceOf({ outputs }: GraphSession): readonly string[] | undefined {
  if (outputs.has(LIKELIEST_ON_GPU)) return [LIKELIEST_ON_GPU];
  return outputs.has(LIKELIEST.token) ? Object.values(LIKELIEST) : undefined;
}

/** `[rows, length]` is one axis, `[axes, rows, length]` says how many. */
function axesOf({ shape }: TensorSpec): number {
  const [axes] = shape;
  if (shape.length !== 3) return 1;
  return typeof axes === 'number' && axes > 0 ? axes : 3;
}
