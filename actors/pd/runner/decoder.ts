/**
 * The decoder graph: from new tokens and a past to the logits of each row's last token. It knows which of the
 * optional inputs an export has; the past and the mask come from the KV cache (see `kv-cache/`).
 *
 *     inputs   inputs_embeds [rows, length, hidden]  or  input_ids [rows, length]
 *              attention_mask, past_key_values.*                     from the KV cache
 *              position_ids [rows, length], num_logits_to_keep       where the graph has them
 *              pixel_values [1, tiles, 3, height, width]             integrated encoding; 0 tiles at decode steps
 *     outputs  logits [rows, length or 1, vocabulary] or likeliest.*, present.* or new.*
 */
import { types } from 'node:util';
import type { GraphSession, Tensors } from '../../inference/graph-session.ts';
import { Int64Buffer } from '../../inference/int64-buffer.ts';
import { Tensor } from '../../inference/onnxruntime.ts';
import { runFor } from '../../inference/run-for.ts';
import { LIKELIEST } from '../../model/rewrite/likeliest.ts';
import type { EngineImage } from '../engine-request.ts';
import type { KvCache, PromptKv } from '../kv-cache/kv-cache.ts';
import { PixelFeeds } from './pixel-feeds.ts';
import { Predictions } from './predictions.ts';

/** What the tokens of one run are fed as, and what is wanted of it. */
export interface TokenFeed {
  /** `[rows × length]`. */
  readonly ids: Int32Array;
  /** `[rows × length, hidden]`, when the graph takes embeddings; a tensor `[rows, length, hidden]` where it lies on the GPU. */
  readonly embeds: Float32Array | Tensor | undefined;
  /** Whether logits are wanted, and not the likeliest tokens alone. */
  readonly logits: boolean;
  /** The one request that they are run for; absent when there are several. */
  readonly requestId?: string | undefined;
}

const LOGITS_TO_KEEP = 'num_logits_to_keep';

export class Decoder {
  readonly takesEmbeds: boolean;
  readonly #session: GraphSession;
  readonly #pixels: PixelFeeds | undefined;
  readonly #takesIds: boolean;
  readonly #takesPositions: boolean;
  readonly #keepLast: Tensors;
  readonly #likeliest: readonly string[] | undefined;
  readonly #ids = new Int64Buffer();
  readonly #positions = new Int64Buffer();
  readonly #mask = new Int64Buffer();

  constructor(session: GraphSession) {
    this.#session = session;
    this.takesEmbeds = session.inputs.has('inputs_embeds');
    this.#takesIds = session.inputs.has('input_ids');
    this.#takesPositions = session.inputs.has('position_ids');
    this.#pixels = PixelFeeds.of(session);
    this.#likeliest = session.outputs.has(LIKELIEST.token) ? Object.values(LIKELIEST) : undefined;
    const keep = session.inputs.get(LOGITS_TO_KEEP);
    // A scalar in most exports, one element in some.
    this.#keepLast =
      keep === undefined
        ? {}
        : { [LOGITS_TO_KEEP]: new Tensor('int64', BigInt64Array.of(1n), keep.shape.length === 0 ? [] : [1]) };
  }

  /** True when images go into this graph as pixels. */
  get takesPixels(): boolean {
    return this.#pixels !== undefined;
  }

  /**
   * Runs the next tokens of a prompt at batch 1 and adds them to its keys and values.
   *
   * @param images those whose tokens are among these, for a graph that takes pixels
   * @returns what the last of them predicts
   */
  async extend(
    tokens: TokenFeed,
    images: readonly EngineImage[],
    kv: PromptKv,
    cache: Pick<KvCache, 'fetches'>,
  ): Promise<Predictions> {
    const count = tokens.ids.length;
    const { length, capacity } = kv;
    const width = capacity + count;
    this.#mask.reset(width);
    this.#positions.reset(count);
    for (let i = 0; i < length; i++) this.#mask.set(i, 1);
    for (let i = 0; i < count; i++) {
      this.#mask.set(capacity + i, 1);
      this.#positions.set(i, length + i);
    }
    const outputs = await this.#run(tokens, 1, count, cache, {
      ...kv.past(),
      attention_mask: new Tensor('int64', this.#mask.view(width), [1, width]),
      ...this.#pixels?.feeds(images),
    });
    const predictions = new Predictions(outputs);
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
    this.#positions.reset(rows * width);
    for (const [row, length] of lengths.entries()) {
      for (let i = 0; i < length; i++) {
        const column = row * width + width - length + i;
        this.#mask.set(column, 1);
        this.#positions.set(column, i);
      }
    }
    const outputs = await this.#run(tokens, rows, width, cache, {
      ...cache.emptyPast(rows),
      attention_mask: new Tensor('int64', this.#mask.view(rows * width), [rows, width]),
    });
    const predictions = new Predictions(outputs);
    for (const [row, kv] of kvs.entries()) kv.take(outputs, row, lengths[row] ?? 0);
    return predictions;
  }

  /** Runs one new token of every row of the cache. @returns what they predict, row by row */
  async step(tokens: TokenFeed, cache: KvCache): Promise<Predictions> {
    const { rows, lengths } = cache;
    this.#positions.reset(rows);
    for (let row = 0; row < rows; row++) this.#positions.set(row, lengths[row] ?? 0);
    const outputs = await this.#run(tokens, rows, 1, cache, {
      ...(await cache.stepFeeds()),
      ...this.#pixels?.none(),
    });
    const predictions = new Predictions(outputs);
    cache.advance(outputs);
    return predictions;
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  #run(
    tokens: TokenFeed,
    rows: number,
    length: number,
    cache: Pick<KvCache, 'fetches'>,
    feeds: Tensors,
  ): Promise<Tensors> {
    Object.assign(feeds, this.#keepLast);
    if (types.isFloat32Array(tokens.embeds)) {
      const hidden = tokens.embeds.length / (rows * length);
      feeds.inputs_embeds = new Tensor('float32', tokens.embeds, [rows, length, hidden]);
    } else if (tokens.embeds !== undefined) feeds.inputs_embeds = tokens.embeds;
    if (this.#takesIds) {
      this.#ids.reset(rows * length);
      for (const [index, id] of tokens.ids.entries()) this.#ids.set(index, id);
      feeds.input_ids = new Tensor('int64', this.#ids.view(rows * length), [rows, length]);
    }
    if (this.#takesPositions) {
      feeds.position_ids = new Tensor('int64', this.#positions.view(rows * length), [rows, length]);
    }
    const chosen = tokens.logits ? undefined : this.#likeliest;
    const fetches = [...(chosen ?? ['logits']), ...cache.fetches];
    return runFor(tokens.requestId, () => this.#session.run(feeds, fetches));
  }
}
