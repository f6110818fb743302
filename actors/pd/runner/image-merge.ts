/**
 * Puts image embeddings in the place of the prompt's image tokens: the masked scatter of the model's own merge,
 * `inputs_embeds[input_ids == image_token] = image_features` in order.
 */

import { imageTokensMismatch } from '../engine-errors.ts';
import type { EngineImage } from '../engine-request.ts';

/**
 * @param embeds `[promptLength, hidden]`, changed in place
 * @param images their data flat, one row of `hidden` per image token, in the order of the prompt
 * @throws TroupeError `IMAGE_TOKENS_MISMATCH` unless there are exactly as many rows as image tokens; `embeds` is
 *   then unchanged
 */
export function mergeImages(
  embeds: Float32Array,
  promptIds: Int32Array,
  imageTokenId: number,
  hidden: number,
  images: readonly EngineImage[],
): void {
  const places = imagePlaces(promptIds, imageTokenId);
  const rows = images.reduce((sum, image) => sum + image.data.length / hidden, 0);
  if (rows !== places.length) throw imageTokensMismatch(places.length, rows);
  let place = 0;
  for (const { data } of images) {
    let row = 0;
    while (row * hidden < data.length) {
      // Image tokens stand in runs, one run per tile: one copy for each.
      const run = runLength(places, place, data.length / hidden - row);
      embeds.set(data.subarray(row * hidden, (row + run) * hidden), (places[place] ?? 0) * hidden);
      row += run;
      place += run;
    }
  }
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
