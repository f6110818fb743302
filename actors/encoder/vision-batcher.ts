/**
 * Batches tiles across requests. What is to be encoded waits in a queue of tiles; each run of the vision graph takes
 * the next ones, of one image or of several, up to a budget. So many small images share a run, and a large one is
 * spread over several, between which messages, cancels and decode steps have their turn.
 *
 *     queue    | A: 3 tiles | B: 1 | C: 5      |      first come, first served
 *     runs     | A A A B |  | C C C C |  | C |        with a budget of 4
 *
 * Nothing is held back for a fuller batch: a run starts one turn of the event loop after the first image has come.
 * Tiles do not see each other, so an embedding is the same in every batch.
 */
import { runFor } from '../inference/run-for.ts';
import { turn } from './fair-share.ts';
import type { PixelShape, VisionEncoder } from './vision-encoder.ts';

/** One image to be encoded. */
export interface TileJob {
  /** `shape`, flat; may view shared memory. */
  readonly pixels: Float32Array;
  readonly shape: PixelShape;
  /** Where the embeddings go, `[tiles, tokensPerTile, hidden]`, flat; may view shared memory. */
  readonly target: Float32Array;
  /** The request that it is encoded for. */
  readonly requestId: string;
  /** An aborted job takes no part in further runs. */
  readonly signal: AbortSignal;
}

export interface VisionBatcherOptions {
  readonly encoder: Pick<VisionEncoder, 'encode' | 'fixedTiles'>;
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

/** Some tiles of one image. */
interface Slice {
  readonly job: QueuedJob;
  readonly from: number;
  readonly tiles: number;
}

interface QueuedJob extends TileJob {
  /** Tiles that are encoded. */
  done: number;
  readonly settle: PromiseWithResolvers<void>;
}

export class VisionBatcher {
  readonly #options: VisionBatcherOptions;
  #queue: QueuedJob[] = [];
  #pumping = false;

  constructor(options: VisionBatcherOptions) {
    this.#options = options;
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

  /** The next tiles of the queue, all of one size. */
  #nextSlices(): Slice[] {
    const slices: Slice[] = [];
    const [first] = this.#queue;
    if (first === undefined) return slices;
    let room = this.#options.encoder.fixedTiles ?? this.#options.tiles();
    for (const job of this.#queue) {
      if (room <= 0) break;
      if (!sameTiles(job.shape, first.shape)) continue;
      const tiles = Math.min(room, job.shape[0] - job.done);
      slices.push({ job, from: job.done, tiles });
      room -= tiles;
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
      if (slices.length > 1) for (const slice of slices) await this.#run([slice]);
      else for (const { job } of slices) this.#leave(job, error);
    }
  }

  async #encode(slices: readonly Slice[]): Promise<void> {
    const [only] = slices;
    if (only === undefined) return;
    const { encoder } = this.#options;
    const [, ...tile] = only.job.shape;
    if (slices.length === 1) {
      // In place on both sides.
      const { requestId } = only.job;
      await runFor(requestId, () => encoder.encode(pixelsOf(only), [only.tiles, ...tile], targetOf(only)));
      return;
    }
    const tiles = tilesOf(slices);
    const pixels = new Float32Array(tiles * tile.reduce((product, side) => product * side, 1));
    let at = 0;
    for (const slice of slices) {
      pixels.set(pixelsOf(slice), at);
      at += pixelsOf(slice).length;
    }
    const embeddings = await runFor(onlyRequestOf(slices), () => encoder.encode(pixels, [tiles, ...tile]));
    at = 0;
    for (const slice of slices) {
      const target = targetOf(slice);
      target.set(embeddings.subarray(at, at + target.length));
      at += target.length;
    }
  }

  #advance({ job, tiles }: Slice): void {
    job.done += tiles;
    if (job.done === job.shape[0]) this.#leave(job);
  }

  #leave(job: QueuedJob, error?: unknown): void {
    this.#queue = this.#queue.filter((other) => other !== job);
    if (error === undefined) job.settle.resolve();
    else job.settle.reject(error);
  }
}

function tilesOf(slices: readonly Slice[]): number {
  return slices.reduce((sum, { tiles }) => sum + tiles, 0);
}

/** Whose all of them are; undefined when they are several requests'. */
function onlyRequestOf(slices: readonly Slice[]): string | undefined {
  const requests = new Set(slices.map(({ job }) => job.requestId));
  const [only] = requests;
  return requests.size === 1 ? only : undefined;
}

function sameTiles(a: PixelShape, b: PixelShape): boolean {
  return a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

function pixelsOf({ job, from, tiles }: Slice): Float32Array {
  return part(job.pixels, job.shape[0], from, tiles);
}

function targetOf({ job, from, tiles }: Slice): Float32Array {
  return part(job.target, job.shape[0], from, tiles);
}

/** Some tiles of an image's data, no copy. */
function part(data: Float32Array, allTiles: number, from: number, tiles: number): Float32Array {
  const length = data.length / allTiles;
  return data.subarray(from * length, (from + tiles) * length);
}
