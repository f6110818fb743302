/**
 * What Qwen2-VL, Qwen2.5-VL and Qwen3-VL have in common: an image keeps its ratio and is cut into patches, four of which
 * become a token; the graph is told the grid; tokens have positions in time, height and width.
 */
import type { JsonValue } from '../../model/model-directory.ts';
import {
  type DecoderFacts,
  decoderNumbers,
  eosTokenIds,
  imageTokenOf,
  unsupported,
} from '../decoder-geometry.ts';
import type { FamilyModel, ImageFamily, ModelFamily } from '../family.ts';
import type { ModelSource } from '../model-source.ts';
import {
  preprocessorSchema,
  type QwenConfig,
  type QwenPreprocessor,
  type QwenTextConfig,
  qwenConfigSchema,
  settingsSchema,
} from './config.ts';
import { checkPositions, gridInput, hasDeepstack, patchValues } from './graph-checks.ts';
import { gridPositions } from './grid-positions.ts';
import { planGrid } from './patch-grid.ts';
import { PatchPixels } from './patch-pixels.ts';

/** The templates write tokens of their own before and behind it. */
const IMAGE = '<|image_pad|>';
/** Qwen2-VL's, for configurations that leave it out; so are those of its successors. */
const DEFAULT_IMAGE_TOKEN_ID = 151_655;
const DEFAULT_MERGE = 2;
/** The processor is Qwen2-VL's in all of them; files of some ages name it after the model. */
const PREPROCESSORS = ['Qwen2VLImageProcessor', 'Qwen2_5_VLImageProcessor', 'Qwen3VLImageProcessor'];

/** In what the models differ outside their graphs. */
export interface QwenVariant {
  readonly modelType: string;
  /** Layers of the vision graph whose output is added behind decoder layers, for configurations that leave them out. */
  readonly deepstack?: readonly number[];
  /** Of the decoder, for configurations that leave numbers out. */
  readonly defaults: Required<Pick<NonNullable<DecoderFacts['defaults']>, 'heads' | 'contextLength'>> &
    DecoderFacts['defaults'];
}

export function qwenFamily(variant: QwenVariant): ModelFamily {
  return { modelTypes: [variant.modelType], read: (source) => read(source, variant), images };
}

function read(source: ModelSource, { defaults, deepstack = [] }: QwenVariant): FamilyModel {
  const config = source.config(qwenConfigSchema);
  const said = config.text_config ?? config;
  // Qwen3's heads are wider than their share of the hidden size.
  const text = { ...said, head_dim: said.head_dim ?? defaults.headDim };
  const preprocessor = source.preprocessor(preprocessorSchema, PREPROCESSORS);
  const numbers = decoderNumbers(source, { text, defaults, span: slidingWindow(text) });
  checkPositions(source);
  const layersAdded = config.vision_config?.deepstack_visual_indexes ?? deepstack;
  const lacksDeepstack = !hasDeepstack(source) && layersAdded.length > 0;
  checkPatches(source, config, preprocessor);
  const imageTokenId = imageTokenOf(source, numbers, config, DEFAULT_IMAGE_TOKEN_ID);
  const grid = gridInput(source);
  return {
    geometry: {
      ...numbers,
      imageTokenId,
      eosTokenIds: eosTokenIds(source, { eos_token_id: config.eos_token_id, text_config: text }),
      seesAhead: 'none',
      imageInputs: [grid.name],
      joinsImages: !grid.takesOne,
    },
    settings: { preprocessor, imageTokenId, gridInput: grid.name, lacksDeepstack },
  };
}

/** The window of those layers that have one; undefined where all see everything. */
function slidingWindow(text: QwenTextConfig): number | undefined {
  const {
    use_sliding_window,
    sliding_window: window = DEFAULT_WINDOW,
    layer_types,
    num_hidden_layers,
  } = text;
  if (!use_sliding_window || window === null) return undefined;
  const from = text.max_window_layers ?? DEFAULT_WINDOW_LAYERS;
  const slides =
    layer_types?.includes('sliding_attention') ?? from < (num_hidden_layers ?? Number.POSITIVE_INFINITY);
  return slides ? window : undefined;
}

/** Of configurations that leave them out: the window, and the layers before the first that has one. */
const DEFAULT_WINDOW = 4096;
const DEFAULT_WINDOW_LAYERS = 80;

/** Pixels, tokens and positions come from different files, which must speak of the same patches. */
function checkPatches(source: ModelSource, config: QwenConfig, preprocessor: QwenPreprocessor): void {
  const merge = config.vision_config?.spatial_merge_size ?? DEFAULT_MERGE;
  if (merge !== preprocessor.merge_size) {
    const problem = `config.json says spatial_merge_size ${merge}, the preprocessor merge_size ${preprocessor.merge_size}`;
    throw unsupported(source.path, problem);
  }
  const { patch_size: side, temporal_patch_size: frames } = preprocessor;
  const taken = patchValues(source);
  const made = new PatchPixels(preprocessor).patchLength;
  if (taken === undefined || taken === made) return;
  const problem = `The vision graph takes patches of ${taken} values, the preprocessor makes ${made}: 3 channels × ${frames} frames × ${side}²`;
  throw unsupported(source.path, problem);
}

function images(settings: JsonValue): ImageFamily {
  const { preprocessor, imageTokenId, gridInput: grid, lacksDeepstack } = settingsSchema.parse(settings);
  const pixels = new PatchPixels(preprocessor);
  const { merge_size: merge } = preprocessor;
  return {
    placeholder: IMAGE,
    summary: summaryOf(preprocessor, lacksDeepstack),
    plan: (size, field = 'image') => {
      const cut = planGrid(preprocessor, size, field);
      const { rows, columns } = cut;
      const tokens = (rows * columns) / merge ** 2;
      return {
        source: cut.source,
        tokens,
        shape: [rows * columns, pixels.patchLength],
        parts: 1,
        // One frame of time, then the grid.
        inputs: { [grid]: { shape: [1, 3], values: [1, rows, columns] } },
        scratchBytes: pixels.scratchBytes(cut),
        expand: () => IMAGE.repeat(tokens),
        write: (image, target) => pixels.write(image, cut, target),
      };
    },
    positions: (promptIds, plans) => {
      const grids = plans.map(({ inputs }) => {
        const [, rows = 0, columns = 0] = inputs[grid]?.values ?? [];
        return { rows: rows / merge, columns: columns / merge };
      });
      return gridPositions(promptIds, imageTokenId, grids);
    },
  };
}

function summaryOf(config: QwenPreprocessor, lacksDeepstack: boolean): string {
  const side = config.patch_size * config.merge_size;
  const [least, most] = [config.min_pixels, config.max_pixels].map((pixels) =>
    Math.round(pixels / side ** 2),
  );
  const cut = `pictures of any ratio, a token for each ${side}×${side} pixels, about ${least} to ${most} tokens`;
  return lacksDeepstack ? `${cut}; the export leaves out deepstack, and with it fine details of images` : cut;
}
