/**
 * Batches images across requests. What is to be encoded waits in a queue; each run of the vision graph takes the next
 * tiles, of one image or of several, up to a budget. So many small images share a run, and a large one is spread over
 * several, between which messages, cancels and decode steps have their turn.
 *
 *     queue    | A: 3 tiles | B: 1 | C: 5      |      first come, first served
 *     runs     | A A A B |  | C C C C |  | C |        with a budget of 4
 *
 * Nothing is held back for a fuller batch: a run starts one turn of the event loop after the first image has come.
 * Tiles do not see each other, so an embedding is the same in every batch. An image that is encoded as a whole is never
 * cut, and counts as so many tiles as its tokens would be; where the graph is told where each image ends, several share a
 * run too.
 */
import { joinImageTensors } from '../inference/image-tensor.ts';
import { runFor } from '../inference/run-for.ts';
import { turn } from './fair-share.ts';
import { JoinTrial } from './join-trial.ts';
import type { VisionEncoder, VisionFeed } from './vision-encoder.ts';

/** One image to be encoded. */
export interface TileJob extends VisionFeed {
  /** Where the embeddings go, `[layers, tokens, hidden]`, flat; may view shared memory. */
  readonly target: Float32Array;
  /** The request that it is encoded for. */
  readonly requestId: string;
  /** An aborted job takes no part in further runs. */
  readonly signal: AbortSignal;
}

export interface VisionBatcherOptions {
  readonly encoder: Pick<VisionEncoder, 'encode' | 'fixedTiles' | 'layers' | 'joinsImages'>;
  /** Most tiles of the next run. */
  readonly tiles: () => number;
  /** After each run. `ms`: how long it took. */
  readonly onRun?: (tiles: number, ms: number) => void;
  /**
   * Before each run: lets the thread's other work have its turn. `ms`: how long the run before took, 0 at the first.
   * Default: one turn of the event loop.
   */
  readonly pause?: (ms: number) => Promise<void>;
  /** Milliseconds. Default `performance.now()`. */
  readonly now?: () => number;
}

/** Tokens of an image that is encoded as a whole which count as a tile. */
const TOKENS_PER_TILE = 64;

/** Some parts of one image. */
interface Slice {
  readonly job: QueuedJob;
  readonly from: number;
  readonly parts: number;
}

interface QueuedJob extends TileJob {
  /** Parts that are encoded. */
  done: number;
  readonly settle: PromiseWithResolvers<void>;
}

export class VisionBatcher {
  readonly #options: VisionBatcherOptions;
  readonly #joins: JoinTrial;
  #queue: QueuedJob[] = [];
  #pumping = false;

  constructor(options: VisionBatcherOptions) {
    this.#options = options;
    this.#joins = new JoinTrial(options.encoder.joinsImages);
  }

  /**
   * Encodes all tiles of an image. `pixels` and `target` must stay valid until this settles.
   * @throws TroupeError `MODEL_RUN_FAILED`, for this image alone; the signal's reason when it is aborted
   */
  async encode(job: TileJob): Promise<void> {
    job.signal.throwIfAborted();
    const queued: QueuedJob = { ...job, done: 0, settle: Promise.withResolvers() };
    this.#queue.push(queued);
    if (!this.#pumping) void this.#pump();
    await queued.settle.promise;
  }

  async #pump(): Promise<void> {
    const { pause = turn, now = () => performance.now(), onRun } = this.#options;
    this.#pumping = true;
    let lastMs = 0;
    while (this.#queue.length > 0) {
      await pause(lastMs);
      this.#dropAborted();
      const slices = this.#nextSlices();
      if (slices.length === 0) break;
      const startedAt = now();
      await this.#run(slices);
      lastMs = now() - startedAt;
      onRun?.(tilesOf(slices), lastMs);
    }
    this.#pumping = false;
  }

  #dropAborted(): void {
    for (const { signal, settle } of this.#queue) if (signal.aborted) settle.reject(signal.reason);
    this.#queue = this.#queue.filter(({ signal }) => !signal.aborted);
  }

  /** The next tiles of the queue, all of one size; or images that are encoded as a whole. */
  #nextSlices(): Slice[] {
    const slices: Slice[] = [];
    const { encoder } = this.#options;
    const [first] = this.#queue;
    if (first === undefined) return slices;
    let room = encoder.fixedTiles ?? this.#options.tiles();
    for (const job of this.#queue) {
      if (room <= 0) break;
      if (!runsWith(job, first) || (slices.length > 0 && isWhole(first) && !this.#joins.mayJoin)) continue;
      const cost = isWhole(job) ? weight(job) : 1;
      if (slices.length > 0 && cost > room) break;
      const parts = Math.min(Math.max(1, Math.floor(room / cost)), job.parts - job.done);
      slices.push({ job, from: job.done, parts });
      room -= parts * cost;
    }
    return slices;
  }

  /** Never rejects: each image is told itself. */
  async #run(slices: readonly Slice[]): Promise<void> {
    try {
      await this.#encode(slices);
      for (const slice of slices) this.#advance(slice);
    } catch (error) {
      // Which image broke the run is unknown: each is tried alone.
      if (slices.length > 1 && slices.some(({ job }) => isWhole(job)) && this.#joins.open) this.#joins.fail();
      if (slices.length > 1) for (const slice of slices) await this.#run([slice]);
      else for (const { job } of slices) this.#leave(job, error);
    }
  }

  async #encode(slices: readonly Slice[]): Promise<void> {
    const [only] = slices;
    if (only === undefined) return;
    const { encoder } = this.#options;
    if (slices.length === 1) {
      // In place on both sides.
      await this.#encodeAlone(only);
      return;
    }
    const together = await this.#encodeTogether(slices);
    if (isWhole(only.job) && this.#joins.open) {
      for (const slice of slices) await this.#encodeAlone(slice);
      const alone = slices.map((slice) => targetsOf(slice, encoder.layers));
      this.#joins.compare(pairs(together, alone));
      return;
    }
    for (const [index, slice] of slices.entries()) {
      for (const [layer, target] of targetsOf(slice, encoder.layers).entries()) {
        target.set(together[index]?.[layer] ?? []);
      }
    }
  }

  async #encodeAlone(slice: Slice): Promise<void> {
    const { encoder } = this.#options;
    const { requestId } = slice.job;
    await runFor(requestId, () => encoder.encode(feedOf(slice), targetsOf(slice, encoder.layers)));
  }

  /** Of each slice, by layer. */
  async #encodeTogether(slices: readonly Slice[]): Promise<Float32Array[][]> {
    const { encoder } = this.#options;
    const feed = joined(slices.map(feedOf));
    const lengths = slices.map((slice) => targetsOf(slice, encoder.layers)[0]?.length ?? 0);
    const length = lengths.reduce((sum, one) => sum + one, 0);
    const outputs = Array.from({ length: encoder.layers }, () => new Float32Array(length));
    await runFor(onlyRequestOf(slices), () => encoder.encode(feed, outputs));
    let at = 0;
    return lengths.map((one) => {
      const from = at;
      at += one;
      return outputs.map((output) => output.subarray(from, at));
    });
  }

  #advance({ job, parts }: Slice): void {
    job.done += parts;
    if (job.done === job.parts) this.#leave(job);
  }

  #leave(job: QueuedJob, error?: unknown): void {
    this.#queue = this.#queue.filter((other) => other !== job);
    if (error === undefined) job.settle.resolve();
    else job.settle.reject(error);
  }
}

/** Whether the graph must be given all of an image at once. */
function isWhole({ parts, shape, inputs }: VisionFeed): boolean {
  return (parts === 1 && shape[0] !== 1) || Object.keys(inputs).length > 0;
}

/** What an image that is encoded as a whole counts as. */
function weight({ tokens }: VisionFeed): number {
  return Math.max(1, Math.ceil(tokens / TOKENS_PER_TILE));
}

/** Whose all of them are; undefined when they are several requests'. */
function onlyRequestOf(slices: readonly Slice[]): string | undefined {
  const requests = new Set(slices.map(({ job }) => job.requestId));
  const [only] = requests;
  return requests.size === 1 ? only : undefined;
}

function tilesOf(slices: readonly Slice[]): number {
  return slices.reduce((sum, { job, parts }) => sum + (isWhole(job) ? weight(job) : parts), 0);
}

function runsWith(a: VisionFeed, b: VisionFeed): boolean {
  const same =
    a.shape.length === b.shape.length && a.shape.every((side, i) => i === 0 || side === b.shape[i]);
  return same && isWhole(a) === isWhole(b);
}

/** Some parts of an image, no copy. */
function feedOf({ job, from, parts }: Slice): VisionFeed {
  const { pixels, shape, tokens, inputs } = job;
  if (parts === job.parts) return { pixels, shape, tokens, parts, inputs };
  const [rows = 0, ...rest] = shape;
  return {
    pixels: part(pixels, job.parts, from, parts),
    shape: [(rows / job.parts) * parts, ...rest],
    tokens: (tokens / job.parts) * parts,
    parts,
    inputs,
  };
}

function targetsOf({ job, from, parts }: Slice, layers: number): Float32Array[] {
  return Array.from({ length: layers }, (_, layer) =>
    part(part(job.target, layers, layer, 1), job.parts, from, parts),
  );
}

/** Images below each other. */
function joined(feeds: readonly VisionFeed[]): VisionFeed {
  const sum = (of: (feed: VisionFeed) => number) => feeds.reduce((total, feed) => total + of(feed), 0);
  const pixels = new Float32Array(sum((feed) => feed.pixels.length));
  let at = 0;
  for (const feed of feeds) {
    pixels.set(feed.pixels, at);
    at += feed.pixels.length;
  }
  const [, ...rest] = feeds[0]?.shape ?? [];
  return {
    pixels,
    shape: [sum(({ shape }) => shape[0] ?? 0), ...rest],
    // Images that are encoded as a whole lie in one row of the output, one behind the other.
    parts: feeds.some(isWhole) ? 1 : sum(({ parts }) => parts),
    tokens: sum(({ tokens }) => tokens),
    inputs: joinImageTensors(feeds.map(({ inputs }) => inputs)),
  };
}

function pairs(
  together: readonly (readonly Float32Array[])[],
  alone: readonly (readonly Float32Array[])[],
): { together: Float32Array; alone: Float32Array }[] {
  return alone.flatMap((layers, index) =>
    layers.map((one, layer) => ({ together: together[index]?.[layer] ?? new Float32Array(0), alone: one })),
  );
}

/** Some of `all` equal parts of an image's data, no copy. */
function part(data: Float32Array, all: number, from: number, count: number): Float32Array {
  const length = data.length / all;
  return data.subarray(from * length, (from + count) * length);
}
