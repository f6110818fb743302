import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeImages } from '../../../../actors/pd/runner/image-merge.ts';
import { TroupeError } from '../../../../runtime/errors.ts';
import { CountedImage } from '../support/requests.ts';

const IMAGE = 9;

/** Merges images with one number per row into a prompt of zeros. */
function merged(promptIds: readonly number[], ...images: readonly (readonly number[])[]): number[] {
  const embeds = new Float32Array(promptIds.length);
  const counted = images.map((rows) => new CountedImage(Float32Array.from(rows), [1, rows.length, 1]));
  mergeImages(embeds, Int32Array.from(promptIds), IMAGE, 1, counted);
  return [...embeds];
}

describe('merging images into a prompt', () => {
  it('puts rows at the image tokens, in order', () => {
    assert.deepEqual(merged([1, 9, 9, 2], [5, 6]), [0, 5, 6, 0]);
  });

  it('goes on in the next run of image tokens, within an image and between images', () => {
    assert.deepEqual(merged([9, 1, 9, 9, 2, 9], [5, 6], [7, 8]), [5, 0, 6, 7, 0, 8]);
  });

  it('does nothing for a prompt without images', () => {
    assert.deepEqual(merged([1, 2]), [0, 0]);
  });

  it('refuses too few and too many rows', () => {
    const mismatch = (error: unknown) => TroupeError.is(error) && error.code === 'IMAGE_TOKENS_MISMATCH';
    assert.throws(() => merged([9, 9], [5]), mismatch);
    assert.throws(() => merged([9], [5, 6]), mismatch);
    assert.throws(() => merged([1], [5]), mismatch);
    assert.throws(() => merged([9]), mismatch);
  });

  it('copies whole rows of the hidden size', () => {
    const embeds = new Float32Array(6);
    mergeImages(embeds, Int32Array.of(1, IMAGE, IMAGE), IMAGE, 2, [
      new CountedImage(Float32Array.of(1, 2, 3, 4), [1, 2, 2]),
    ]);
    assert.deepEqual([...embeds], [0, 0, 1, 2, 3, 4]);
  });
});
