/**
 * Idefics3 and SmolVLM: a SigLIP vision tower, pixel shuffle, and a Llama decoder. An image is one tile or a grid
 * of tiles followed by the whole image; in the prompt each tile is a run of `<image>` tokens with a label.
 */

import type { ModelGeometry } from '../../model/geometry.ts';
import { cacheShape, eosTokenIds, hiddenSize, unsupported } from '../decoder-geometry.ts';
import type { GeometrySource, ImagePlan, ModelFamily } from '../family.ts';
import { planTiles } from './tiling.ts';

const IMAGE = '<image>';
const AROUND_IMAGE = '<fake_token_around_image>';
const GLOBAL_IMAGE = '<global-img>';
/** The architecture's default, for configurations that leave it out. */
const DEFAULT_IMAGE_TOKEN_ID = 128_257;

export const idefics3: ModelFamily = {
  modelTypes: ['idefics3', 'smolvlm'],
  imagePlaceholder: IMAGE,
  geometry,
  planImage: (directory, size) => planTiles(directory.preprocessorConfig, size),
  expandImage: (directory, plan) => expandImage(plan, directory.geometry.imageTokensPerTile),
};

function geometry(source: GeometrySource): ModelGeometry {
  const { config, preprocessorConfig, graphs } = source;
  const text = config.text_config;
  const tileSize = preprocessorConfig.max_image_size.longest_edge;
  const imageTokenId = config.image_token_id ?? DEFAULT_IMAGE_TOKEN_ID;
  if (imageTokenId >= text.vocab_size)
    throw unsupported(source.path, 'The image token is not in the vocabulary');
  const pixels = (graphs.vision ?? graphs.decoder).signature.inputs.find(
    ({ name }) => name === 'pixel_values',
  );
  const fixedSide = pixels?.dims.at(-1);
  if (typeof fixedSide === 'number' && fixedSide !== tileSize) {
    const problem = `The vision graph takes ${fixedSide}-pixel tiles, the preprocessor makes ${tileSize}-pixel ones`;
    throw unsupported(source.path, problem);
  }
  return {
    ...cacheShape(source),
    hiddenSize: hiddenSize(source),
    vocabSize: text.vocab_size,
    contextLength: text.max_position_embeddings,
    imageTokenId,
    imageTokensPerTile: imageTokensPerTile(source, tileSize),
    tileSize,
    eosTokenIds: eosTokenIds(source),
    padTokenId: padTokenId(source),
  };
}

/** Patches of a tile, `scale_factor²` of which are shuffled into one token. */
function imageTokensPerTile({ path, config, processorConfig }: GeometrySource, tileSize: number): number {
  const patches = Math.floor(tileSize / config.vision_config.patch_size) ** 2;
  const computed = Math.floor(patches / config.scale_factor ** 2);
  const declared = processorConfig.image_seq_len ?? computed;
  if (declared === computed && declared > 0) return declared;
  throw unsupported(
    path,
    `image_seq_len is ${declared}, but a ${tileSize}-pixel tile makes ${computed} tokens`,
  );
}

function padTokenId({ config, generationConfig }: GeometrySource): number {
  const ids = [generationConfig.pad_token_id, config.text_config.pad_token_id, config.pad_token_id];
  // -1 stands for none; any token can fill a position that nobody reads.
  return ids.find((id) => id != null && id >= 0 && id < config.text_config.vocab_size) ?? 0;
}

function expandImage({ rows, cols }: ImagePlan, tokensPerTile: number): string {
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
