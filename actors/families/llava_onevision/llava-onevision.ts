/**
 * LLaVA-OneVision: a SigLIP tower, a projector and a Qwen2 decoder (Li et al. 2024). An image is the whole of it as one tile,
 * and tiles of a canvas that fits it; the vision graph is told its size and puts their patches together.
 */
import { type RgbImage, resizeBytes, resizeSteps } from '../../images/resize.ts';
import type { JsonValue } from '../../model/model-directory.ts';
import { decoderNumbers, eosTokenIds, imageTokenOf, unsupported } from '../decoder-geometry.ts';
import type { FamilyModel, ImageFamily, ImagePlan, ImageSize, ModelFamily } from '../family.ts';
import type { ModelSource } from '../model-source.ts';
import { normalizedLevels } from '../normalized-levels.ts';
import { canvasBytes, padImage } from '../pad-image.ts';
import { writeGrid, writePlanes } from '../write-planes.ts';
import { type Anyres, planAnyres } from './anyres.ts';
import {
  type OnevisionSettings,
  onevisionConfigSchema,
  preprocessorSchema,
  processorSchema,
  settingsSchema,
} from './config.ts';

const IMAGE = '<image>';
const SIZES = 'image_sizes';
/** The architecture's, for configurations that leave them out: those of Qwen2 among them. */
const DEFAULTS = { heads: 32, kvHeads: 32, contextLength: 32_768 };
const DEFAULT_IMAGE_TOKEN_ID = 151_646;
const DEFAULT_PATCH = 14;
const DEFAULT_ASPECT = 'anyres_max_9';
const CHANNELS = 3;

export const llavaOnevision: ModelFamily = { modelTypes: ['llava_onevision'], read, images };

type Config = ReturnType<typeof onevisionConfigSchema.parse>;
type Preprocessor = ReturnType<typeof preprocessorSchema.parse>;
type Processor = ReturnType<typeof processorSchema.parse>;

function read(source: ModelSource): FamilyModel {
  const config = source.config(onevisionConfigSchema);
  const preprocessor = source.preprocessor(preprocessorSchema, ['LlavaOnevisionImageProcessor']);
  const processor = source.processor(processorSchema);
  const numbers = decoderNumbers(source, { text: config.text_config, defaults: DEFAULTS });
  const settings = readSettings(source, config, preprocessor, processor);
  return {
    geometry: {
      ...numbers,
      imageTokenId: imageTokenOf(source, numbers, config, DEFAULT_IMAGE_TOKEN_ID),
      eosTokenIds: eosTokenIds(source, config),
      seesAhead: 'none',
      imageInputs: settings.anyres === undefined ? [] : [SIZES],
      joinsImages: false,
    },
    settings,
  };
}

function readSettings(
  source: ModelSource,
  config: Config,
  preprocessor: Preprocessor,
  processor: Processor,
): OnevisionSettings & JsonValue {
  const { path } = source;
  const { size, crop_size: crop, resample } = preprocessor;
  const tile = size.height;
  if (size.width !== tile) throw unsupported(path, 'The preprocessor asks for tiles that are not square');
  if (crop != null && (crop.height !== tile || crop.width !== tile)) {
    throw unsupported(path, `The preprocessor asks for crops of ${crop.height} pixels in tiles of ${tile}`);
  }
  const strategy = agreed(
    source,
    'vision_feature_select_strategy',
    processor.vision_feature_select_strategy,
    config.vision_feature_select_strategy,
  );
  if (strategy === 'default') {
    throw unsupported(path, 'vision_feature_select_strategy is "default": its tower has no class token');
  }
  const { image_mean, image_std, do_rescale, rescale_factor, do_normalize } = preprocessor;
  const levels = { image_mean, image_std, do_rescale, rescale_factor, do_normalize };
  const anyres = anyresOf(source, config, preprocessor, processor);
  const side = patchesOfSide(source, config, processor, tile);
  return { levels, resample, tile, side, ...(anyres && { anyres }) };
}

/** Undefined where the vision graph is not told sizes. transformers.js gives such a graph the whole image alone. */
function anyresOf(
  source: ModelSource,
  config: Config,
  preprocessor: Preprocessor,
  processor: Processor,
): OnevisionSettings['anyres'] {
  if (source.imageInput(SIZES) === undefined) return undefined;
  if (source.graphs.vision === undefined) {
    throw unsupported(source.path, `The decoder graph takes ${SIZES}, but only a vision graph can`);
  }
  const field = 'vision_aspect_ratio';
  const aspect = agreed(source, field, processor[field], config[field]) ?? DEFAULT_ASPECT;
  const most = Number(/^anyres_max_([1-9]\d*)$/.exec(aspect)?.[1]);
  if (!Number.isSafeInteger(most)) {
    throw unsupported(source.path, `vision_aspect_ratio is ${JSON.stringify(aspect)}, known is anyres_max_N`);
  }
  const canvases = 'image_grid_pinpoints';
  const pinpoints = agreed(source, canvases, preprocessor[canvases], config[canvases]) ?? defaultPinpoints();
  const tile = preprocessor.size.height;
  const uneven = pinpoints.find((canvas) => canvas.some((length) => length % tile !== 0));
  if (uneven === undefined) return { pinpoints: pinpoints.map(([a, b]) => [a, b]), mostTiles: most };
  throw unsupported(source.path, `image_grid_pinpoints has ${uneven.join('×')}, no whole tiles of ${tile}`);
}

/** The processor's value, which the model's must not contradict: the graph is made by that. */
function agreed<T>(
  { path }: ModelSource,
  field: string,
  first: T | null | undefined,
  second: T | null | undefined,
): T | undefined {
  if (first == null || second == null || JSON.stringify(first) === JSON.stringify(second)) {
    return first ?? second ?? undefined;
  }
  throw unsupported(path, `config.json and the processor contradict each other in ${field}`);
}

function patchesOfSide({ path, graphs }: ModelSource, config: Config, processor: Processor, tile: number) {
  const { patch_size: patch } = config.vision_config;
  const counted = Math.floor(tile / (patch ?? DEFAULT_PATCH)) ** 2;
  const tokens = processor.num_image_tokens ?? counted;
  const side = Math.sqrt(tokens);
  const output = graphs.vision?.signature.outputs[0]?.dims;
  const made = output?.length === 3 ? output[1] : undefined;
  if (Number.isInteger(side) && (typeof made !== 'number' || made === tokens)) return side;
  throw unsupported(path, `num_image_tokens is ${tokens}, but a tile makes ${made ?? counted}`);
}

/** Every canvas of up to six by six tiles of the published models. */
function defaultPinpoints(): [number, number][] {
  const lengths = [1, 2, 3, 4, 5, 6].map((tiles) => 384 * tiles);
  return lengths.flatMap((height) => lengths.map((width): [number, number] => [height, width]));
}

function images(settings: JsonValue): ImageFamily {
  const { levels, resample, tile, side, anyres } = settingsSchema.parse(settings);
  const writing = { resample, levels: normalizedLevels(levels), tile: { width: tile, height: tile } };
  const tokens = side * side;
  const size = `${tile}×${tile} pixels`;
  return {
    placeholder: IMAGE,
    summary:
      anyres === undefined
        ? `one picture of ${size}, ${tokens} tokens`
        : `the whole image and tiles of up to ${anyres.pinpoints.length} canvases, ${size} each; ${tokens} tokens and more`,
    plan: ({ width, height }) => {
      const source = { width, height };
      const cut = anyres && planAnyres(source, { ...anyres, tile, side });
      const count = cut?.tokens ?? tokens;
      return {
        source,
        tokens: count,
        shape: [cut?.tiles ?? 1, CHANNELS, tile, tile],
        parts: 1,
        inputs: cut === undefined ? {} : { [SIZES]: { shape: [1, 2], values: [height, width] } },
        scratchBytes: scratchBytes(source, writing.tile, cut),
        expand: () => IMAGE.repeat(count),
        write: (image, target) => writeTiles(image, target, writing, cut),
      };
    },
  };
}

function scratchBytes(source: ImageSize, tile: ImageSize, cut: Anyres | undefined): number {
  const whole = resizeBytes([source, tile]);
  return cut === undefined
    ? whole
    : Math.max(whole, resizeBytes([source, cut.resized]) + canvasBytes(cut.canvas));
}

interface TileWriting {
  readonly resample: number;
  readonly levels: readonly Float32Array[];
  readonly tile: ImageSize;
}

/** @param target `[tiles, 3, height, width]`, flat: the whole image, then the canvas row by row */
function* writeTiles(
  image: RgbImage,
  target: Float32Array,
  { resample, levels, tile }: TileWriting,
  cut: Anyres | undefined,
): ReturnType<ImagePlan['write']> {
  const { width, height } = tile;
  const tileLength = CHANNELS * height * width;
  if (target.length !== (cut?.tiles ?? 1) * tileLength) {
    throw new RangeError('target has another shape than the plan');
  }
  const whole = yield* resizeSteps(image, width, height, resample, 'torchvision');
  writePlanes(whole, { left: 0, top: 0, width, height }, levels, target);
  yield;
  if (cut === undefined) return;
  const { canvas, resized } = cut;
  const small = yield* resizeSteps(image, resized.width, resized.height, resample, 'torchvision');
  const left = Math.floor((canvas.width - resized.width) / 2);
  const top = Math.floor((canvas.height - resized.height) / 2);
  const padded = padImage(small, canvas, { left, top });
  const grid = { rows: canvas.height / height, cols: canvas.width / width, tile };
  yield* writeGrid(padded, grid, levels, target.subarray(tileLength));
}
