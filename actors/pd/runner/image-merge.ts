/**
 * Puts image embeddings in the place of the prompt's image tokens: the masked scatter of the model's own merge,
 * `inputs_embeds[input_ids == image_token] = image_features` in order.
 */

import { imageTokensMismatch } from '../engine-errors.ts';
import type { EngineImage } from '../engine-request.ts';

/**
 * @param embeds `[promptLength, hidden]`, changed in place
 * @param images their data flat, `[layers, tokens, hidden]`, in the order of the prompt
 * @param layer which of them. Default the first, which takes the place of tokens
 * @throws TroupeError `IMAGE_TOKENS_MISMATCH` unless there are exactly as many rows as image tokens; `embeds` is
 *   then unchanged
 */
export function mergeImages(
  embeds: Float32Array,
  promptIds: Int32Array,
  imageTokenId: number,
  hidden: number,
  images: readonly EngineImage[],
  layer = 0,
): void {
  const places = imagePlaces(promptIds, imageTokenId);
  const rows = images.reduce((sum, image) => sum + image.tokens, 0);
  if (rows !== places.length) throw imageTokensMismatch(places.length, rows);
  let place = 0;
  for (const { data, tokens } of images) {
    const own = data.subarray(layer * tokens * hidden, (layer + 1) * tokens * hidden);
    if (own.length !== tokens * hidden) throw imageTokensMismatch(tokens, own.length / hidden);
    let row = 0;
    while (row < tokens) {
      // Image tokens stand in runs, one run per tile: one copy for each.
      const run = runLength(places, place, tokens - row);
      embeds.set(own.subarray(row * hidden, (row + run) * hidden), (places[place] ?? 0) * hidden);
      row += run;
      place += run;
    }
  }
}

/** Layers of embeddings that images bring beside the first. */
export function furtherLayers(images: readonly EngineImage[]): number {
  return Math.max(0, ...images.map(({ shape }) => (shape.length === 3 ? (shape[0] ?? 1) - 1 : 0)));
}

function imagePlaces(promptIds: Int32Array, imageTokenId: number): number[] {
  const places: number[] = [];
  for (const [position, id] of promptIds.entries()) if (id === imageTokenId) places.push(position);
  return places;
}

/** How many places from `start` on follow each other without a gap, at most `limit`. */
function runLength(places: readonly number[], start: number, limit: number): number {
  const first = places[start] ?? 0;
  let length = 1;
  while (length < limit && places[start + length] === first + length) length += 1;
  return length;
}
