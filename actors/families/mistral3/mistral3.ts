/**
 * Mistral 3 (Mistral Small 3.1 and 3.2, Ministral 3): Pixtral's vision tower (Agrawal et al. 2024), a projector that merges squares
 * of patches, and a Mistral decoder. An image keeps its size; in the prompt each row of its tokens ends with a token of its own.
 */
import type { JsonValue } from '../../model/model-directory.ts';
import { decoderNumbers, eosTokenIds, imageTokenOf, unsupported } from '../decoder-geometry.ts';
import type { FamilyModel, ImageFamily, ModelFamily } from '../family.ts';
import type { ModelSource } from '../model-source.ts';
import {
  type Mistral3Config,
  type Mistral3Processor,
  type Mistral3Text,
  mistral3ConfigSchema,
  preprocessorSchema,
  processorSchema,
  settingsSchema,
} from './config.ts';
import { CHANNELS, PicturePixels } from './picture-pixels.ts';
import { planTokens } from './token-grid.ts';

const SIZES = 'image_sizes';
const PIXELS = 'pixel_values';
/** The architecture's, for configurations that leave them out. */
const DEFAULT_IMAGE_TOKEN_ID = 10;
const DEFAULT_MERGE = 2;
const DEFAULT_PATCH = 14;
/** Pixtral's own, where config.json has a vision_config that does not say it. */
const PIXTRAL_PATCH = 16;
const MISTRAL = { heads: 32, kvHeads: 8, contextLength: 131_072 };
const MINISTRAL = { ...MISTRAL, contextLength: 262_144 };
const MINISTRAL_HEAD_DIM = 128;
const MISTRAL_WINDOW = 4096;

export const mistral3: ModelFamily = { modelTypes: ['mistral3'], read, images };

function read(source: ModelSource): FamilyModel {
  const config = source.config(mistral3ConfigSchema);
  const preprocessor = source.preprocessor(preprocessorSchema, ['PixtralImageProcessor']);
  const processor = source.processor(processorSchema);
  if (preprocessor.do_center_crop) {
    throw unsupported(source.path, 'The preprocessor asks for crops, which images of any size have none of');
  }
  const text = decoderText(config.text_config ?? {});
  const numbers = decoderNumbers(source, text);
  const imageTokenId = imageTokenOf(source, numbers, config, DEFAULT_IMAGE_TOKEN_ID);
  const takesSize = checkVisionGraph(source);
  return {
    geometry: {
      ...numbers,
      imageTokenId,
      eosTokenIds: eosTokenIds(source, { eos_token_id: config.eos_token_id, text_config: text.text }),
      seesAhead: 'none',
      imageInputs: takesSize ? [SIZES] : [],
      joinsImages: false,
    },
    settings: {
      preprocessor,
      side: tokenSide(source, config, processor),
      image: processor.image_token ?? '[IMG]',
      rowEnd: processor.image_break_token ?? '[IMG_BREAK]',
      imageEnd: processor.image_end_token ?? '[IMG_END]',
      takesSize,
    },
  };
}

/** What a decoder's class has for numbers that its configuration leaves out; a null is a value of its own. */
function decoderText(said: Mistral3Text): Parameters<typeof decoderNumbers>[1] {
  const ministral = said.model_type === 'ministral3';
  const defaults = ministral ? MINISTRAL : MISTRAL;
  const { num_attention_heads, num_key_value_heads, head_dim, sliding_window } = said;
  // Without heads of its own, a configuration says nothing of the decoder, and the graphs do.
  const kvHeads = num_attention_heads == null ? num_key_value_heads : defaults.kvHeads;
  const text = {
    ...said,
    num_key_value_heads: num_key_value_heads === undefined ? kvHeads : num_key_value_heads,
    head_dim: head_dim === undefined && ministral ? MINISTRAL_HEAD_DIM : head_dim,
  };
  const unsaid = said.model_type === 'mistral' ? MISTRAL_WINDOW : undefined;
  return { text, defaults, span: sliding_window === undefined ? unsaid : (sliding_window ?? undefined) };
}

/** Graphs that take one size of picture, or encode images inside the decoder, would do it wrong. */
function checkVisionGraph(source: ModelSource): boolean {
  const { path } = source;
  if (source.graphs.vision === undefined) {
    throw unsupported(path, 'The decoder encodes images itself, where those of this family need a run each');
  }
  const pixels = source.imageInput(PIXELS);
  const [images, , ...sides] = pixels?.dims ?? [];
  const fixed =
    sides.some((side) => typeof side === 'number' && side > 0) || (typeof images === 'number' && images > 1);
  if (pixels !== undefined && (pixels.dims.length !== 4 || fixed)) {
    const problem = `The vision graph takes ${PIXELS} [${pixels.dims.join(', ')}]: images of this family are [1, ${CHANNELS}, height, width] of any size`;
    throw unsupported(path, problem);
  }
  return source.imageInput(SIZES) !== undefined;
}

/** Pixels and prompts are made by the processor's numbers, the graph by the model's. */
function tokenSide({ path }: ModelSource, config: Mistral3Config, processor: Mistral3Processor): number {
  const vision = config.vision_config;
  const pairs = [
    ['patch_size', processor.patch_size, vision?.patch_size],
    ['spatial_merge_size', processor.spatial_merge_size, config.spatial_merge_size],
  ] as const;
  for (const [field, made, taken] of pairs) {
    if (made == null || taken == null || made === taken) continue;
    throw unsupported(path, `config.json says ${field} ${taken}, the processor ${made}`);
  }
  const patch =
    processor.patch_size ?? vision?.patch_size ?? (vision == null ? DEFAULT_PATCH : PIXTRAL_PATCH);
  return patch * (processor.spatial_merge_size ?? config.spatial_merge_size ?? DEFAULT_MERGE);
}

function images(settings: JsonValue): ImageFamily {
  const { preprocessor, side, image, rowEnd, imageEnd, takesSize } = settingsSchema.parse(settings);
  const pixels = new PicturePixels(preprocessor);
  const { width, height } = preprocessor.size;
  return {
    placeholder: image,
    summary: `pictures of any ratio up to ${width}×${height} pixels, a token for each ${side}×${side}`,
    plan: (size, field = 'image') => {
      const grid = planTokens(preprocessor, side, size, field);
      const { rows, columns, resized } = grid;
      const row = image.repeat(columns);
      return {
        source: grid.source,
        tokens: rows * columns,
        shape: [CHANNELS, resized.height, resized.width],
        parts: 1,
        inputs: takesSize ? { [SIZES]: { shape: [1, 2], values: [resized.height, resized.width] } } : {},
        scratchBytes: pixels.scratchBytes(grid),
        expand: () => `${`${row}${rowEnd}`.repeat(rows - 1)}${row}${imageEnd}`,
        write: (picture, target) => pixels.write(picture, grid, target),
      };
    },
  };
}
