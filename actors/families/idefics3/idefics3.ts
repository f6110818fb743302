/**
 * Idefics3 and SmolVLM: a SigLIP vision tower, pixel shuffle, and a Llama decoder. An image is one tile or a grid
 * of tiles followed by the whole image; in the prompt each tile is a run of `<image>` tokens with a label.
 */
import type { JsonValue } from '../../model/model-directory.ts';
import {
  checkTileSide,
  decoderNumbers,
  eosTokenIds,
  imageTokenOf,
  unsupported,
} from '../decoder-geometry.ts';
import type { FamilyModel, ImageFamily, ModelFamily } from '../family.ts';
import type { ModelSource } from '../model-source.ts';
import {
  type Idefics3Preprocessor,
  idefics3ConfigSchema,
  preprocessorSchema,
  processorSchema,
  settingsSchema,
} from './config.ts';
import { TilePixels } from './tile-pixels.ts';
import { planTiles, type Tiling } from './tiling.ts';

const IMAGE = '<image>';
const AROUND_IMAGE = '<fake_token_around_image>';
const GLOBAL_IMAGE = '<global-img>';
/** The architecture's default, for configurations that leave it out. */
const DEFAULT_IMAGE_TOKEN_ID = 128_257;
/** Pillow's ids of filters. */
const LANCZOS = 1;
const BICUBIC = 3;
const PREPROCESSORS = ['Idefics3ImageProcessor', 'SmolVLMImageProcessor'];

export const idefics3: ModelFamily = { modelTypes: ['idefics3', 'smolvlm'], read, images };

function read(source: ModelSource): FamilyModel {
  const config = source.config(idefics3ConfigSchema);
  const preprocessor = asTheReferenceResizes(source, source.preprocessor(preprocessorSchema, PREPROCESSORS));
  const tileSize = preprocessor.max_image_size.longest_edge;
  const numbers = decoderNumbers(source, { text: config.text_config });
  const imageTokenId = imageTokenOf(source, numbers, config, DEFAULT_IMAGE_TOKEN_ID);
  checkTileSide(source, tileSize);
  const { patch_size: patch } = config.vision_config;
  const tokensPerTile = imageTokensPerTile(
    source,
    Math.floor(tileSize / patch) ** 2,
    config.scale_factor,
    tileSize,
  );
  return {
    geometry: {
      ...numbers,
      imageTokenId,
      eosTokenIds: eosTokenIds(source, config),
      seesAhead: 'none',
      imageInputs: [],
      joinsImages: false,
    },
    settings: { preprocessor, tokensPerTile },
  };
}

/**
 * Settings inside `processor_config.json` are transformers 5's, whose image processors resize by torchvision: without a
 * Lanczos filter (before 0.27), which is replaced by the bicubic one. Those in a file of their own are from the years of
 * Pillow, which has it, and stay as they say. The exporter writes the filter that is used into the file.
 */
function asTheReferenceResizes(
  source: ModelSource,
  preprocessor: Idefics3Preprocessor,
): Idefics3Preprocessor {
  const replaced = source.preprocessorIsInside && preprocessor.resample === LANCZOS;
  return replaced ? { ...preprocessor, resample: BICUBIC } : preprocessor;
}

/** Patches of a tile, `scale²` of which are shuffled into one token. */
function imageTokensPerTile(source: ModelSource, patches: number, scale: number, tileSize: number): number {
  const computed = Math.floor(patches / scale ** 2);
  const declared = source.processor(processorSchema).image_seq_len ?? computed;
  if (declared === computed && declared > 0) return declared;
  const problem = `image_seq_len is ${declared}, but a ${tileSize}-pixel tile makes ${computed} tokens`;
  throw unsupported(source.path, problem);
}

function images(settings: JsonValue): ImageFamily {
  const { preprocessor, tokensPerTile } = settingsSchema.parse(settings);
  const pixels = new TilePixels(preprocessor);
  const tile = preprocessor.max_image_size.longest_edge;
  return {
    placeholder: IMAGE,
    summary: `tiles of ${tile}×${tile} pixels, ${tokensPerTile} tokens each`,
    plan: (size) => {
      const tiling = planTiles(preprocessor, size);
      return {
        source: tiling.source,
        tokens: tiling.tiles * tokensPerTile,
        shape: tiling.shape,
        parts: tiling.tiles,
        inputs: {},
        scratchBytes: pixels.scratchBytes(tiling),
        expand: () => expandImage(tiling, tokensPerTile),
        write: (image, target) => pixels.write(image, tiling, target),
      };
    },
  };
}

function expandImage({ rows, cols }: Tiling, tokensPerTile: number): string {
  const tokens = IMAGE.repeat(tokensPerTile);
  const whole = `${AROUND_IMAGE}${GLOBAL_IMAGE}${tokens}${AROUND_IMAGE}`;
  if (rows === 0 || cols === 0) return whole;
  let grid = '';
  for (let row = 1; row <= rows; row++) {
    for (let col = 1; col <= cols; col++) grid += `${AROUND_IMAGE}<row_${row}_col_${col}>${tokens}`;
    grid += '\n';
  }
  return `${grid}\n${whole}`;
}
