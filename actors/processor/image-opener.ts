/**
 * From the images of a request to what the next stage reads: pixels in shared memory, or the embeddings that were
 * made of them before. An image that is known and still kept is neither decoded nor resized.
 *
 * Heads are read first: they say how large everything will be. So a request takes the room for all its pixels at once,
 * and then decodes one image after the other, each when there is memory for it. Nobody waits for room while he holds
 * memory that others wait for.
 */
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../runtime/tensors/shared-tensor.ts';
import type { SharedTensorCache } from '../../runtime/tensors/tensor-cache.ts';
import { InputError } from '../errors.ts';
import type { ImageFamily, ImagePlan } from '../families/family.ts';
import type { EncodedImage, PreparedImage } from '../generation.ts';
import type { ImagePolicy } from '../image-policy.ts';
import { DEFAULT_SIZE_LIMITS, type ReadableImage, readImage } from '../images/image-decode.ts';
import { inTurns } from '../images/in-turns.ts';
import { releasePixels } from '../images/resize.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import type { ProcessorLimits } from '../protocols.ts';
import { contentHash } from './content-hash.ts';
import { DecodeBudget, type DecodeBudgets } from './decode-budget.ts';
import { HeldTensors } from './held-tensors.ts';
import { loadImageBytes } from './image-source.ts';
import { KnownSources, sourceHash } from './known-sources.ts';
import type { RequestImage } from './validate-messages.ts';

export interface ImageOpenerParts {
  readonly directory: ModelDirectory;
  readonly images: ImageFamily;
  readonly limits: ProcessorLimits;
  readonly policy: ImagePolicy;
  /** Where pixels go. */
  readonly pixels: SharedArena;
  /** What decoding may take, for all processors together; absent where nothing bounds it. */
  readonly decoding?: DecodeBudgets;
  /** Where embeddings of known images are found; absent when the model has no vision graph of its own. */
  readonly encoded?: { readonly cache: SharedTensorCache; readonly arena: SharedArena };
  readonly holder: number;
}

/** An image whose place in the prompt is known. */
export interface OpenedImage {
  readonly plan: ImagePlan;
  /** SHA-256 of the encoded bytes. */
  readonly source: string;
  /** Where it sits in the request. */
  readonly field: string;
  /** Its head, read already or only when it turns out to be needed. */
  read(): Promise<ReadableImage>;
}

export interface PlacedImages {
  readonly images: readonly (PreparedImage | EncodedImage)[];
  /** Lets go of pixels and embeddings. */
  release(): void;
}

export class ImageOpener {
  readonly #parts: ImageOpenerParts;
  readonly #known = new KnownSources();
  /** What, beside the image, decides the pixels. */
  readonly #preprocessing: string;
  readonly #budget: DecodeBudget;
  #decodes = 0;

  constructor(parts: ImageOpenerParts) {
    const { path, settings } = parts.directory;
    this.#parts = parts;
    this.#budget = new DecodeBudget(parts.decoding, parts.holder);
    this.#preprocessing = JSON.stringify([path, settings]);
  }

  /** Images decoded so far. */
  get decodes(): number {
    return this.#decodes;
  }

  /**
   * @throws InputError when the image cannot be loaded, its head not be read, or it never be decoded here; the signal's
   *   reason when it is aborted
   */
  async open({ source, field }: RequestImage, signal: AbortSignal): Promise<OpenedImage> {
    const { images, limits, policy } = this.#parts;
    const bytes = await loadImageBytes(source, field, { maxBytes: limits.maxImageBytes, policy, signal });
    const hash = sourceHash(bytes);
    const { maxImagePixels: maxPixels, maxImageSide: maxSide = DEFAULT_SIZE_LIMITS.maxSide } = limits;
    const size = { maxPixels, maxSide };
    const read = async () => {
      const image = await readImage(bytes, field, size);
      signal.throwIfAborted();
      return image;
    };
    const plan = this.#known.get(hash)?.plan;
    if (plan !== undefined) return { plan, source: hash, field, read };
    const image = await read();
    const planned = images.plan(image, field);
    this.#budget.check(image.decodeBytes + planned.scratchBytes, field, image);
    return { plan: planned, source: hash, field, read: async () => image };
  }

  /**
   * Finds embeddings, or writes pixels into shared memory, waiting for room where there is none.
   * @throws InputError IMAGES_TOO_LARGE_PIXELS, IMAGE_TOO_LARGE_PIXELS, IMAGE_CORRUPT; ActorError `ABORTED`
   */
  async place(opened: readonly OpenedImage[], signal: AbortSignal): Promise<PlacedImages> {
    const held = new HeldTensors(this.#parts);
    try {
      const places = await this.#permits(opened, held, signal);
      const images: (PreparedImage | EncodedImage)[] = [];
      for (const [index, image] of opened.entries()) {
        const place = places[index];
        if (place === undefined) throw new Error('an image has no place'); // one was made for each
        images.push('hash' in place ? place : await this.#write(image, place, held, signal));
      }
      return { images, release: () => held.release() };
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /** For each image its embeddings, or room for its pixels. No embeddings are held while room is waited for. */
  async #permits(
    opened: readonly OpenedImage[],
    held: HeldTensors,
    signal: AbortSignal,
  ): Promise<(EncodedImage | SharedTensor<'float32'>)[]> {
    const missing = new Set<OpenedImage>();
    for (;;) {
      const found = this.#findAll(opened, missing, held);
      for (const image of opened) if (!found.has(image)) missing.add(image);
      if (missing.size > 0) held.release();
      const room = await this.#room(
        opened.filter((image) => missing.has(image)),
        signal,
      );
      for (const tensor of room) held.add(tensor);
      const again = missing.size > 0 ? this.#findAll(opened, missing, held) : found;
      if (again.size + missing.size === opened.length) {
        return opened.map((image) => again.get(image) ?? (room.shift() as SharedTensor<'float32'>));
      }
      held.release(); // some were let go meanwhile
    }
  }

  #findAll(
    opened: readonly OpenedImage[],
    missing: ReadonlySet<OpenedImage>,
    held: HeldTensors,
  ): Map<OpenedImage, EncodedImage> {
    const found = new Map<OpenedImage, EncodedImage>();
    for (const image of opened) {
      const known = missing.has(image) ? undefined : this.#find(this.#known.get(image.source)?.contentHash);
      if (known === undefined) continue;
      held.add(known.embeddings);
      found.set(image, known);
    }
    return found;
  }

  #find(hash: string | undefined): EncodedImage | undefined {
    const { encoded, holder } = this.#parts;
    const embeddings = hash === undefined ? undefined : encoded?.cache.find(hash, holder);
    return hash === undefined || embeddings === undefined ? undefined : { hash, embeddings };
  }

  /** For the pixels of all of them at once. */
  async #room(images: readonly OpenedImage[], signal: AbortSignal): Promise<SharedTensor<'float32'>[]> {
    const { pixels, holder } = this.#parts;
    const [first] = images;
    if (first === undefined) return [];
    const shapes = images.map(({ plan }) => plan.shape);
    const { capacityBytes } = pixels.stats();
    const bytes = shapes.reduce(
      (sum, shape) => sum + 4 * shape.reduce((product, side) => product * side, 1),
      0,
    );
    if (bytes > capacityBytes) {
      throw new InputError('IMAGES_TOO_LARGE_PIXELS', 'has images that are too large together', {
        field: 'messages',
        value: `${bytes} bytes of pixels for the model, of ${capacityBytes}`,
        remedy: 'Send fewer images, or raise limits.memoryBytes.',
      });
    }
    return await pixels.allocateAll('float32', shapes, holder, { signal });
  }

  async #write(
    { plan, source, field, read }: OpenedImage,
    pixels: SharedTensor<'float32'>,
    held: HeldTensors,
    signal: AbortSignal,
  ): Promise<PreparedImage | EncodedImage> {
    const { pixels: arena } = this.#parts;
    const image = await read();
    const bytes = image.decodeBytes + plan.scratchBytes;
    this.#budget.check(bytes, field, image);
    const target = arena.view(pixels);
    await this.#budget.run(bytes, signal, async () => {
      this.#decodes += 1;
      const decoded = await image.decode();
      await inTurns(plan.write(decoded, target), signal);
      await releasePixels(decoded);
    });
    signal.throwIfAborted();
    const { tokens, parts, inputs } = plan;
    const hash = contentHash(target, plan.shape, inputs, this.#preprocessing);
    this.#known.set(source, { contentHash: hash, plan });
    // Another file with the same pixels, or one that another processor has opened.
    const found = this.#find(hash);
    if (found === undefined) return { hash, pixels, tokens, parts, inputs };
    held.remove(pixels);
    held.add(found.embeddings);
    return found;
  }
}
