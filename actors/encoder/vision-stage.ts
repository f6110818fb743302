/**
 * The encoder's own logic, without the actor around it: prepared images in, embeddings in shared memory out, through
 * the cache that all actors share. The encoder actor and the aggregated actor are both made of it.
 */
import { processNow } from '../../runtime/clock.ts';
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../runtime/tensors/shared-tensor.ts';
import type { SharedTensorCache } from '../../runtime/tensors/tensor-cache.ts';
import { InputError } from '../errors.ts';
import { type EncodedImage, isEncoded, type PreparedImage } from '../generation.ts';
import { EncodeTurns } from './encode-turns.ts';
import { fairShare, type OtherWork, UNNOTICED_MS } from './fair-share.ts';
import { TileBudget } from './tile-budget.ts';
import { VisionBatcher } from './vision-batcher.ts';
import type { VisionEncoder } from './vision-encoder.ts';

export interface VisionStageParts {
  readonly encoder: VisionEncoder;
  /** Where the pixels are, and where embeddings go. */
  readonly pixels: SharedArena;
  readonly embeddings: SharedArena;
  /** Embeddings by content. */
  readonly cache: SharedTensorCache;
  readonly holder: number;
  /** Most tiles of one run of the graph; ≥ 1. */
  readonly maxTilesPerRun: number;
  /** What else the thread has to do, which runs and pauses leave time for. Default: nothing. */
  readonly others?: OtherWork;
}

/** Whose images are encoded. */
export interface ImagesOf {
  readonly requestId: string;
  /** Of its abort. */
  readonly signal: AbortSignal;
}

export interface EncodedImages {
  /** In the order of the images, each held until `release`. */
  readonly images: readonly EncodedImage[];
  readonly encodeMs: number;
  release(): void;
}

export interface VisionStats {
  /** Images encoded, and their tiles. */
  readonly encodes: number;
  readonly tiles: number;
  /** Runs of the graph: tiles / runs is the mean batch. */
  readonly runs: number;
}

/** Longest run while no answer is being made on the thread. While some are, it is what their readers do not notice. */
const BUDGET_MS = 200;

const NOTHING_ELSE: OtherWork = { answers: () => false, prompts: () => false };

export class VisionStage {
  readonly #parts: VisionStageParts;
  readonly #budget: TileBudget;
  readonly #batcher: VisionBatcher;
  readonly #turns: EncodeTurns;
  #encodes = 0;
  #tiles = 0;
  #runs = 0;

  constructor(parts: VisionStageParts) {
    const { encoder, maxTilesPerRun, others = NOTHING_ELSE } = parts;
    this.#parts = parts;
    this.#turns = new EncodeTurns(parts.embeddings.stats().capacityBytes);
    this.#budget = new TileBudget({
      maxTiles: maxTilesPerRun,
      budgetMs: () => (others.answers() ? UNNOTICED_MS : BUDGET_MS),
    });
    this.#batcher = new VisionBatcher({
      encoder,
      tiles: () => this.#budget.tiles,
      onRun: (tiles, ms) => {
        this.#budget.record(tiles, ms);
        this.#tiles += tiles;
        this.#runs += 1;
      },
      pause: (ms) => fairShare(ms, others),
    });
  }

  /**
   * Encodes a request's images, or finds them. The caller keeps pixels and embeddings alive meanwhile.
   * @throws InputError IMAGES_TOO_LARGE_EMBEDDINGS for more than there can ever be room for; TroupeError `TENSOR_RELEASED` when they are gone, `MODEL_RUN_FAILED` when the graph fails
   */
  async encode(
    images: readonly (PreparedImage | EncodedImage)[],
    { requestId, signal }: ImagesOf,
  ): Promise<EncodedImages> {
    const startedAt = processNow();
    const { embeddings: arena, holder } = this.#parts;
    const bytes = this.#bytesOf(images);
    const needsRoom = images.some((image) => !isEncoded(image));
    const leave = needsRoom ? await this.#turns.enter(bytes, signal) : () => {};
    const results = await Promise.allSettled(
      images.map((image) => this.#obtain(image, { requestId, signal })),
    );
    leave();
    const held = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    const release = () => {
      for (const { embeddings } of held) arena.release(embeddings, holder);
    };
    const failed = results.find((result) => result.status === 'rejected');
    if (failed === undefined) return { images: held, encodeMs: processNow() - startedAt, release };
    release();
    throw failed.reason;
  }

  stats(): VisionStats {
    return { encodes: this.#encodes, tiles: this.#tiles, runs: this.#runs };
  }

  async release(): Promise<void> {
    await this.#parts.encoder.release();
  }

  /** What the embeddings of a request's images take; the same image twice may be two. @throws InputError IMAGES_TOO_LARGE_EMBEDDINGS */
  #bytesOf(images: readonly (PreparedImage | EncodedImage)[]): number {
    const { encoder, embeddings } = this.#parts;
    let bytes = 0;
    for (const image of images) {
      const shape = isEncoded(image) ? image.embeddings.shape : encoder.outputShape(image.tokens);
      bytes += shape.reduce((product, side) => product * side, 4);
    }
    const { capacityBytes } = embeddings.stats();
    if (bytes <= capacityBytes) return bytes;
    throw new InputError('IMAGES_TOO_LARGE_EMBEDDINGS', 'has images that take too many tokens together', {
      field: 'messages',
      value: `${bytes} bytes of embeddings, of ${capacityBytes}`,
      remedy: 'Send fewer or smaller images, or raise limits.memoryBytes.',
    });
  }

  async #obtain(image: PreparedImage | EncodedImage, whose: ImagesOf): Promise<EncodedImage> {
    const { cache, embeddings: arena, holder } = this.#parts;
    if (isEncoded(image)) {
      arena.retain(image.embeddings, holder);
      return image;
    }
    const { hash } = image;
    const make = () => this.#encode(image, whose);
    const embeddings = await cache.getOrMake(hash, holder, make, whose.signal);
    return { hash, embeddings };
  }

  async #encode(image: PreparedImage, { requestId, signal }: ImagesOf): Promise<SharedTensor> {
    const { encoder, pixels, embeddings: arena, holder } = this.#parts;
    const { tokens, parts, inputs } = image;
    const { shape } = image.pixels;
    pixels.retain(image.pixels, holder);
    try {
      const embeddings = await this.#allocate(encoder.outputShape(tokens), signal);
      try {
        const view = pixels.view(image.pixels) as Float32Array; // pixels are float32
        const target = arena.view(embeddings);
        await this.#batcher.encode({ pixels: view, shape, tokens, parts, inputs, target, requestId, signal });
        this.#encodes += 1;
        return embeddings;
      } catch (error) {
        arena.release(embeddings, holder);
        throw error;
      }
    } finally {
      pixels.release(image.pixels, holder);
    }
  }

  /** Where there is no room, kept embeddings that nobody uses go first. */
  async #allocate(shape: readonly number[], signal: AbortSignal): Promise<SharedTensor<'float32'>> {
    const { embeddings: arena, cache, holder } = this.#parts;
    do {
      const tensor = arena.tryAllocate('float32', shape, holder);
      if (tensor !== undefined) return tensor;
    } while (cache.evict());
    return await arena.allocate('float32', shape, holder, { signal });
  }
}
