/**
 * A model family: what differs between models of one architecture and those of another, outside their graphs. How an
 * image becomes pixels and how many tokens stand for it, how a prompt names it, at which positions its tokens lie, and
 * where the configuration says so. Nothing outside this folder names a family; docs/families.md walks through one.
 */
import type { ImageTensor, TokenPositions } from '../generation.ts';
import type { Steps } from '../images/in-turns.ts';
import type { RgbImage } from '../images/resize.ts';
import type { ModelGeometry } from '../model/geometry.ts';
import type { JsonValue } from '../model/model-directory.ts';
import type { ModelSource } from './model-source.ts';

export interface ImageSize {
  /** Pixels, ≥ 1. */
  readonly width: number;
  /** Pixels, ≥ 1. */
  readonly height: number;
}

/** What becomes of one image of a certain size. */
export interface ImagePlan {
  /** The image as decoded. */
  readonly source: ImageSize;
  /** Image tokens that stand for it in the prompt, and rows of its embedding, in the same order; ≥ 1. */
  readonly tokens: number;
  /**
   * Of `pixel_values` for this image alone, float32: `[tiles, 3, height, width]`, `[patches, values]`, or `[3, height, width]` of an
   * image that is never encoded beside others.
   */
  readonly shape: readonly number[];
  /**
   * Equal parts along the first dimension of the pixels and of the embedding that do not see each other, so that the
   * graph may be given any of them: the tiles of most families. 1 where the image is encoded as a whole.
   */
  readonly parts: number;
  /** Further inputs of the graph, by name, for this image alone. Their first dimension counts images. */
  readonly inputs: Readonly<Record<string, ImageTensor>>;
  /** Most bytes that `write` takes beside the image and the target. */
  readonly scratchBytes: number;
  /** The text, control tokens included, that replaces the placeholder of the image; it holds `tokens` image tokens. */
  expand(): string;
  /**
   * Writes normalized pixels.
   *
   * @param image of the plan's source size
   * @param target of `shape`, flat; may view shared memory
   */
  write(image: RgbImage, target: Float32Array): Steps<void>;
}

/** What a family does with images, once per thread that prepares requests. */
export interface ImageFamily {
  /** What the chat template writes where an image belongs; one control token. */
  readonly placeholder: string;
  /** Whether chat templates that take a message as one text are given the placeholder in it, on a line of its own. */
  readonly placeholderInText?: boolean;
  /** How images are cut and how many tokens they take, for a person. */
  readonly summary: string;
  /**
   * What the family's processor adds to a prompt where that is not the template's or the tokenizer's doing; the tokenizer then
   * puts nothing around it. Absent where nothing is added.
   *
   * @param rendered by the template, images still as placeholders
   * @param bosToken the first token of a text; '' for a tokenizer without one
   */
  completePrompt?(rendered: string, bosToken: string): string;
  /**
   * @param size the decoded image, upright
   * @param field where it sits in the request, for errors
   * @throws InputError for a size that the model cannot be given
   */
  plan(size: ImageSize, field?: string): ImagePlan;
  /**
   * Positions of a prompt's tokens. Absent where they are 0, 1, 2 …
   *
   * @param plans of its images, in the order of their tokens
   */
  positions?(promptIds: Int32Array, plans: readonly ImagePlan[]): TokenPositions;
}

/** What is read from a model directory; plain data, for it travels to other threads. */
export interface FamilyModel {
  readonly geometry: ModelGeometry;
  /** What `ModelFamily.images` is given. */
  readonly settings: JsonValue;
}

export interface ModelFamily {
  /** The values of `model_type` in config.json that this family serves. */
  readonly modelTypes: readonly string[];
  /** Texts of tokens whose ids `read` finds in `source.tokenIds`. */
  readonly tokens?: readonly string[];
  /** A prompt template for models that come without a chat template; see `prompt-template.ts`. Absent: they are refused. */
  readonly promptTemplate?: string;
  /**
   * @throws ModelError MODEL_FILE_CORRUPT when a file of its own is not as the family writes it, MODEL_UNSUPPORTED when
   *   configuration and graphs contradict each other, or ask for something that is not done here
   */
  read(source: ModelSource): FamilyModel;
  /** @param settings of `FamilyModel` */
  images(settings: JsonValue): ImageFamily;
}
