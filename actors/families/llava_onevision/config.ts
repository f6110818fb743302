/** The JSON files of a LLaVA-OneVision model, as far as they are read, with the defaults of the reference. */
import * as z from 'zod';
import { tokenId, tokenIds } from '../../model/model-config.ts';
import { levelFields } from '../normalized-levels.ts';
import { textConfigSchema } from '../text-config.ts';

const positiveInt = z.int().positive();
const strategy = z.enum(['default', 'full']);
/** Canvases, `[height, width]` in pixels. */
const pinpoints = z.array(z.tuple([positiveInt, positiveInt])).min(1);

/** `config.json` */
export const onevisionConfigSchema = z.object({
  image_token_index: tokenId.nullish(),
  image_token_id: tokenId.nullish(),
  eos_token_id: tokenIds.nullish(),
  image_grid_pinpoints: pinpoints.nullish(),
  vision_aspect_ratio: z.string().nullish(),
  vision_feature_select_strategy: strategy.nullish(),
  text_config: textConfigSchema,
  vision_config: z
    .object({ image_size: positiveInt.nullish(), patch_size: positiveInt.nullish() })
    .default({}),
});

const SIDE = 384;
const square = { height: SIDE, width: SIDE };
const exactSize = z.object({ height: positiveInt, width: positiveInt });
const asSquare = (side: number) => ({ height: side, width: side });

/** `preprocessor_config.json`; mean and deviation default to CLIP's. */
export const preprocessorSchema = z.object({
  /** One tile, pixels. A number or a shortest edge is both sides. */
  size: z
    .union([
      positiveInt.transform(asSquare),
      z.object({ shortest_edge: positiveInt }).transform((size) => asSquare(size.shortest_edge)),
      exactSize,
    ])
    .default(square),
  /** Side of the tiles before they are resized to `size`. */
  crop_size: z.union([positiveInt.transform(asSquare), exactSize]).nullish(),
  image_grid_pinpoints: pinpoints.nullish(),
  /** Pillow's filter id. */
  resample: z.int().min(0).max(5).default(3),
  ...levelFields([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]),
});

/** `processor_config.json` */
export const processorSchema = z.object({
  num_image_tokens: positiveInt.nullish(),
  vision_aspect_ratio: z.string().nullish(),
  vision_feature_select_strategy: strategy.nullish(),
});

/** What the pixels and the prompt are made by. */
export const settingsSchema = z.object({
  levels: z.object(levelFields([0, 0, 0], [1, 1, 1])),
  resample: z.int(),
  /** Side of one tile, pixels. */
  tile: positiveInt,
  /** Patches along a side of a tile, each of which is a token. */
  side: positiveInt,
  /** Absent where the vision graph is not told an image's size: its one tile is then the whole image. */
  anyres: z.object({ pinpoints, mostTiles: positiveInt }).optional(),
});
export type OnevisionSettings = z.infer<typeof settingsSchema>;
