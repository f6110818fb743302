/**
 * A model family: what differs between models of one architecture and those of another, outside their graphs.
 * How an image is cut into tiles, how a prompt names an image, where the sizes are written in the configuration.
 */
import type { ModelGeometry } from '../model/geometry.ts';
import type { ModelDirectory } from '../model/model-directory.ts';

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** What becomes of one image: the sizes it is brought to, one after the other, and the tiles cut from the last. */
export interface ImagePlan {
  /** The image as decoded. */
  readonly source: ImageSize;
  /** Each is resized from the one before; equal neighbours were dropped. The last is cut into tiles. */
  readonly resizes: readonly ImageSize[];
  /** Rows and columns of tiles; 0 and 0 when the image is one tile. */
  readonly rows: number;
  readonly cols: number;
  /** `rows × cols + 1`: the last tile is the whole image. */
  readonly tiles: number;
  /** float32 pixels for the vision graph: `[tiles, 3, height, width]`. */
  readonly shape: readonly [tiles: number, channels: 3, height: number, width: number];
}

/** What a family may look at when it derives the geometry. */
export type GeometrySource = Pick<
  ModelDirectory,
  'path' | 'config' | 'generationConfig' | 'preprocessorConfig' | 'processorConfig' | 'graphs'
>;

export interface ModelFamily {
  /** The values of `model_type` in config.json that this family serves. */
  readonly modelTypes: readonly string[];
  /** What the chat template writes where an image belongs. */
  readonly imagePlaceholder: string;
  /** @throws ModelError MODEL_UNSUPPORTED when configuration and graphs contradict each other */
  geometry(source: GeometrySource): ModelGeometry;
  /** @param size the decoded image, upright, in pixels, at least 1×1 */
  planImage(directory: ModelDirectory, size: ImageSize): ImagePlan;
  /** The text, control tokens included, that replaces the placeholder of an image. */
  expandImage(directory: ModelDirectory, plan: ImagePlan): string;
}
