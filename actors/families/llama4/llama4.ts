/**
 * Llama 4: a vision tower with pixel shuffle and a mixture of experts, most of whose layers see chunks of tokens. An image
 * is cut into tiles; where there are several, the whole image follows as one more.
 */
import { type RgbImage, resizeBytes, resizeSteps } from '../../images/resize.ts';
import type { JsonValue } from '../../model/model-directory.ts';
import {
  checkTileSide,
  decoderNumbers,
  eosTokenIds,
  imageTokenOf,
  unsupported,
} from '../decoder-geometry.ts';
import type { FamilyModel, ImageFamily, ImagePlan, ImageSize, ModelFamily } from '../family.ts';
import type { ModelSource } from '../model-source.ts';
import { canvasBytes, padImage } from '../pad-image.ts';
import { writeGrid, writePlanes } from '../write-planes.ts';
import { bfloat16Levels } from './bfloat16-levels.ts';
import { type Canvas, Canvases } from './canvas.ts';
import {
  type Llama4Preprocessor,
  llama4ConfigSchema,
  preprocessorSchema,
  processorSchema,
  settingsSchema,
} from './config.ts';

const IMAGE = '<|image|>';
const PATCH = '<|patch|>';
/** They end text, a message and a turn. */
const END_TOKENS = ['<|end_of_text|>', '<|eom|>', '<|eot|>'];
/** The architecture's, for configurations that leave them out. */
const DEFAULTS = { heads: 40, kvHeads: 8, headDim: 128, contextLength: 131_072, chunk: 8192 };
const DEFAULT_IMAGE_TOKEN_ID = 200_092;
const DEFAULT_PATCH = 14;
const DEFAULT_SHUFFLE = 0.5;
const CHANNELS = 3;

export const llama4: ModelFamily = { modelTypes: ['llama4'], tokens: END_TOKENS, read, images };

function read(source: ModelSource): FamilyModel {
  const config = source.config(llama4ConfigSchema);
  const preprocessor = source.preprocessor(preprocessorSchema, ['Llama4ImageProcessor']);
  const { attention_chunk_size: chunk = DEFAULTS.chunk, ...text } = config.text_config;
  const numbers = decoderNumbers(source, { text, defaults: DEFAULTS, chunk: chunk ?? undefined });
  const imageTokenId = imageTokenOf(source, numbers, config, DEFAULT_IMAGE_TOKEN_ID);
  return {
    geometry: {
      ...numbers,
      imageTokenId,
      eosTokenIds: eosTokenIds(source, config, END_TOKENS),
      seesAhead: 'none',
      imageInputs: [],
      joinsImages: false,
    },
    settings: { preprocessor, tokensPerTile: imageTokensPerTile(source, config, preprocessor) },
  };
}

function imageTokensPerTile(
  source: ModelSource,
  { vision_config }: ReturnType<typeof llama4ConfigSchema.parse>,
  { size, do_resize }: Llama4Preprocessor,
): number {
  if (!do_resize || size.width !== size.height) {
    const problem = `The preprocessor asks for ${do_resize ? 'tiles that are not square' : 'do_resize false'}`;
    throw unsupported(source.path, problem);
  }
  checkTileSide(source, size.width);
  const processor = source.processor(processorSchema);
  const patch = processor.patch_size ?? vision_config.patch_size ?? DEFAULT_PATCH;
  const shuffle = processor.pixel_shuffle_ratio ?? vision_config.pixel_shuffle_ratio ?? DEFAULT_SHUFFLE;
  const tokens = Math.floor(Math.floor(size.width / patch) ** 2 / Math.round(1 / shuffle ** 2));
  if (tokens > 0) return tokens;
  throw unsupported(source.path, `A ${size.width}-pixel tile has not enough patches of ${patch} for a token`);
}

function images(settings: JsonValue): ImageFamily {
  const { preprocessor, tokensPerTile } = settingsSchema.parse(settings);
  const canvases = new Canvases(preprocessor);
  const levels = bfloat16Levels(preprocessor);
  const { size: tile, resample, max_patches } = preprocessor;
  return {
    placeholder: IMAGE,
    summary: `up to ${max_patches} tiles of ${tile.width}×${tile.height} pixels and the whole image, ${tokensPerTile} tokens each`,
    plan: (source) => {
      const canvas = canvases.of(source);
      const tiles = tilesOf(canvas);
      return {
        source: { width: source.width, height: source.height },
        tokens: tiles * tokensPerTile,
        shape: [tiles, CHANNELS, tile.height, tile.width],
        parts: tiles,
        inputs: {},
        scratchBytes: scratchBytes(source, canvas, tile),
        expand: () => expandImage(canvas, tokensPerTile),
        write: (image, target) => writeTiles(image, target, { canvas, tile, levels, resample }),
      };
    },
  };
}

/** Those of the grid; where they are several, the whole image as one more. */
function tilesOf({ rows, cols }: Canvas): number {
  return rows * cols === 1 ? 1 : rows * cols + 1;
}

function scratchBytes(source: ImageSize, { rows, cols, resized }: Canvas, tile: ImageSize): number {
  const whole = { width: cols * tile.width, height: rows * tile.height };
  return Math.max(resizeBytes([source, resized]) + canvasBytes(whole), resizeBytes([source, tile]));
}

function expandImage({ rows, cols }: Canvas, tokensPerTile: number): string {
  const tokens = PATCH.repeat(tokensPerTile);
  const row = `${Array.from({ length: cols }, () => tokens).join('<|tile_x_separator|>')}<|tile_y_separator|>`;
  const grid = rows * cols === 1 ? '' : row.repeat(rows);
  return `<|image_start|>${grid}${IMAGE}${tokens}<|image_end|>`;
}

interface TileWriting {
  readonly canvas: Canvas;
  readonly tile: ImageSize;
  readonly levels: readonly Float32Array[];
  readonly resample: number;
}

/** @param target `[tiles, 3, height, width]`, flat: the grid row by row, then the whole image */
function* writeTiles(
  image: RgbImage,
  target: Float32Array,
  { canvas, tile, levels, resample }: TileWriting,
): ReturnType<ImagePlan['write']> {
  const { rows, cols, resized } = canvas;
  const { width, height } = tile;
  const tileLength = CHANNELS * height * width;
  if (target.length !== tilesOf(canvas) * tileLength) {
    throw new RangeError('target has another shape than the plan');
  }
  const small = yield* resizeSteps(image, resized.width, resized.height, resample, 'torchvision');
  const padded = padImage(small, { width: cols * width, height: rows * height }, { left: 0, top: 0 });
  yield* writeGrid(padded, { rows, cols, tile }, levels, target);
  if (rows * cols === 1) return;
  const whole = yield* resizeSteps(image, width, height, resample, 'torchvision');
  writePlanes(whole, { left: 0, top: 0, width, height }, levels, target.subarray(rows * cols * tileLength));
}
