/**
 * The processor's own logic, without the actor around it: a caller's messages and image sources in; prompt ids
 * and normalized pixels in shared memory out. Stateless between requests.
 */
import { processNow } from '../../runtime/clock.ts';
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import type { ChatRequest, PreparedImage, ResolvedSampling } from '../generation.ts';
import type { ImagePlan, ModelFamily } from '../model/families/family.ts';
import { findFamily } from '../model/families/registry.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import { PromptEncoder } from '../model/prompt-encoder.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import type { ProcessorLimits } from '../protocols.ts';
import { contentHash } from './content-hash.ts';
import { Idefics3ImageProcessor } from './idefics3-image-processor.ts';
import { decodeImage } from './image-decode.ts';
import type { ImagePolicy } from './image-policy.ts';
import { loadImageBytes } from './image-source.ts';
import { preparePrompt } from './prepare-prompt.ts';
import type { RgbImage } from './resize.ts';
import { resolveSampling } from './resolve-sampling.ts';
import { type RequestImage, validateMessages } from './validate-messages.ts';

export interface PreparerParts {
  readonly directory: ModelDirectory;
  readonly limits: ProcessorLimits;
  readonly images: ImagePolicy;
  readonly pixels: SharedArena;
  readonly holder: number;
}

export interface Prepared {
  readonly promptIds: Int32Array<ArrayBuffer>;
  readonly images: readonly PreparedImage[];
  readonly sampling: ResolvedSampling;
  readonly preprocessMs: number;
  /** Lets go of the pixels. */
  release(): void;
}

interface PlannedImage {
  readonly image: RgbImage;
  readonly plan: ImagePlan;
}

export class RequestPreparer {
  readonly #parts: PreparerParts;
  readonly #family: ModelFamily;
  readonly #encoder: PromptEncoder;
  readonly #imageProcessor: Idefics3ImageProcessor;
  /** What, beside the image, decides the pixels. */
  readonly #preprocessing: string;

  private constructor(parts: PreparerParts, family: ModelFamily, tokenizer: TextTokenizer) {
    const { directory } = parts;
    this.#parts = parts;
    this.#family = family;
    this.#encoder = new PromptEncoder(directory, tokenizer, family.imagePlaceholder);
    this.#imageProcessor = new Idefics3ImageProcessor(directory.preprocessorConfig);
    this.#preprocessing = JSON.stringify([directory.path, directory.preprocessorConfig]);
  }

  /** @throws ModelError when the tokenizer or the chat template cannot be used */
  static async load(parts: PreparerParts): Promise<RequestPreparer> {
    const { directory } = parts;
    const family = findFamily(directory.modelType, directory.path);
    return new RequestPreparer(parts, family, await TextTokenizer.load(directory));
  }

  /** @throws InputError naming the field, the value and the remedy; the signal's reason when it is aborted */
  async prepare(chat: ChatRequest, signal: AbortSignal): Promise<Prepared> {
    const startedAt = processNow();
    const { directory, limits } = this.#parts;
    const { contextLength } = directory.geometry;
    // Everything that can be refused without touching an image is refused first.
    const requested = validateMessages(chat.messages, limits);
    const sampling = resolveSampling(chat, directory.generationConfig, contextLength);
    const planned = await Promise.all(requested.map((image) => this.#open(image, signal)));
    const plans = planned.map(({ plan }) => plan);
    const model = { directory, family: this.#family, encoder: this.#encoder };
    const { promptIds } = preparePrompt(model, chat.messages, plans);
    const maxTokens = Math.min(sampling.maxTokens, contextLength - promptIds.length);
    const { images, release } = await this.#place(planned, signal);
    return {
      promptIds,
      images,
      sampling: { ...sampling, maxTokens },
      preprocessMs: processNow() - startedAt,
      release,
    };
  }

  async #open({ source, field }: RequestImage, signal: AbortSignal): Promise<PlannedImage> {
    const { directory, limits, images: policy } = this.#parts;
    const bytes = await loadImageBytes(source, field, { maxBytes: limits.maxImageBytes, policy, signal });
    const image = await decodeImage(bytes, field, { maxPixels: limits.maxImagePixels });
    signal.throwIfAborted();
    return { image, plan: this.#family.planImage(directory, image) };
  }

  /** Writes the pixels into shared memory, waiting for room where there is none. */
  async #place(
    planned: readonly PlannedImage[],
    signal: AbortSignal,
  ): Promise<{ images: PreparedImage[]; release: () => void }> {
    const { pixels: arena, holder } = this.#parts;
    const images: PreparedImage[] = [];
    const release = () => {
      for (const { pixels } of images) arena.release(pixels, holder);
    };
    try {
      for (const { image, plan } of planned) {
        const pixels = await arena.allocate('float32', plan.shape, holder, { signal });
        images.push({ hash: '', pixels });
        const target = arena.view(pixels);
        this.#imageProcessor.write(image, plan, target);
        images.splice(-1, 1, { hash: contentHash(target, plan.shape, this.#preprocessing), pixels });
      }
      return { images, release };
    } catch (error) {
      release();
      throw error;
    }
  }
}
