/**
 * From the images of a request to what the next stage reads: pixels in shared memory, or the embeddings that were
 * made of them before. An image that is known and still kept is neither decoded nor resized.
 */
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../runtime/tensors/shared-tensor.ts';
import type { SharedTensorCache } from '../../runtime/tensors/tensor-cache.ts';
import type { EncodedImage, PreparedImage } from '../generation.ts';
import type { ImagePlan, ModelFamily } from '../model/families/family.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import type { ProcessorLimits } from '../protocols.ts';
import { contentHash } from './content-hash.ts';
import { Idefics3ImageProcessor } from './idefics3-image-processor.ts';
import { decodeImage } from './image-decode.ts';
import type { ImagePolicy } from './image-policy.ts';
import { loadImageBytes } from './image-source.ts';
import { KnownSources, sourceHash } from './known-sources.ts';
import type { RgbImage } from './resize.ts';
import type { RequestImage } from './validate-messages.ts';

export interface ImageOpenerParts {
  readonly directory: ModelDirectory;
  readonly family: ModelFamily;
  readonly limits: ProcessorLimits;
  readonly policy: ImagePolicy;
  /** Where pixels go. */
  readonly pixels: SharedArena;
  /** Where embeddings of known images are found; absent when the model has no vision graph of its own. */
  readonly encoded?: { readonly cache: SharedTensorCache; readonly arena: SharedArena };
  readonly holder: number;
}

/** An image whose place in the prompt is known. */
export interface OpenedImage {
  readonly plan: ImagePlan;
  /** SHA-256 of the encoded bytes. */
  readonly source: string;
  /** Decoded already, or only when it turns out to be needed. */
  decode(): Promise<RgbImage>;
}

export interface PlacedImages {
  readonly images: readonly (PreparedImage | EncodedImage)[];
  /** Lets go of pixels and embeddings. */
  release(): void;
}

export class ImageOpener {
  readonly #parts: ImageOpenerParts;
  readonly #processor: Idefics3ImageProcessor;
  readonly #known = new KnownSources();
  /** What, beside the image, decides the pixels. */
  readonly #preprocessing: string;
  #decodes = 0;

  constructor(parts: ImageOpenerParts) {
    const { path, preprocessorConfig } = parts.directory;
    this.#parts = parts;
    this.#processor = new Idefics3ImageProcessor(preprocessorConfig);
    this.#preprocessing = JSON.stringify([path, preprocessorConfig]);
  }

  /** Images decoded so far. */
  get decodes(): number {
    return this.#decodes;
  }

  /** @throws InputError when the image cannot be loaded or decoded; the signal's reason when it is aborted */
  async open({ source, field }: RequestImage, signal: AbortSignal): Promise<OpenedImage> {
    const { directory, family, limits, policy } = this.#parts;
    const bytes = await loadImageBytes(source, field, { maxBytes: limits.maxImageBytes, policy, signal });
    const hash = sourceHash(bytes);
    const decode = async () => {
      this.#decodes += 1;
      const image = await decodeImage(bytes, field, { maxPixels: limits.maxImagePixels });
      signal.throwIfAborted();
      return image;
    };
    const plan = this.#known.get(hash)?.plan;
    if (plan !== undefined) return { plan, source: hash, decode };
    const image = await decode();
    return { plan: family.planImage(directory, image), source: hash, decode: async () => image };
  }

  /** Finds embeddings, or writes pixels into shared memory, waiting for room where there is none. */
  async place(opened: readonly OpenedImage[], signal: AbortSignal): Promise<PlacedImages> {
    const { pixels, encoded, holder } = this.#parts;
    const images: (PreparedImage | EncodedImage)[] = [];
    const held: SharedTensor[] = [];
    const release = () => {
      for (const tensor of held)
        (tensor.arena === pixels.name ? pixels : encoded?.arena)?.release(tensor, holder);
    };
    try {
      for (const image of opened) {
        const known = this.#known.get(image.source)?.contentHash;
        const found = known === undefined ? undefined : this.#find(known);
        if (found !== undefined) held.push(found.embeddings);
        images.push(found ?? (await this.#write(image, held, signal)));
      }
      return { images, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #find(hash: string): EncodedImage | undefined {
    const { encoded, holder } = this.#parts;
    const embeddings = encoded?.cache.find(hash, holder);
    return embeddings === undefined ? undefined : { hash, embeddings };
  }

  async #write(
    { plan, source, decode }: OpenedImage,
    held: SharedTensor[],
    signal: AbortSignal,
  ): Promise<PreparedImage | EncodedImage> {
    const { pixels: arena, holder } = this.#parts;
    const image = await decode();
    const pixels = await arena.allocate('float32', plan.shape, holder, { signal });
    held.push(pixels);
    const target = arena.view(pixels);
    this.#processor.write(image, plan, target);
    const hash = contentHash(target, plan.shape, this.#preprocessing);
    this.#known.set(source, { contentHash: hash, plan });
    // Another file with the same pixels, or one that another processor has opened.
    const found = this.#find(hash);
    if (found === undefined) return { hash, pixels };
    held.pop();
    arena.release(pixels, holder);
    held.push(found.embeddings);
    return found;
  }
}
