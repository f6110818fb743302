/** The vision graph: images to embeddings, one tile at a time and several together. */

import { VisionEncoder } from '../../actors/encoder/vision-encoder.ts';
import { imagesOf } from '../../actors/families/registry.ts';
import { Tensor } from '../../actors/inference/onnxruntime.ts';
import { openBareSession } from '../bare/bare-session.ts';
import { openEmbeddedModel, pixelsOf, THREADS } from '../embedded-model.ts';
import { measure } from '../measure.ts';
import type { Suite } from '../suite.ts';
import { tileSideOf } from '../tile-side.ts';

export const encodeSuite: Suite = {
  name: 'encode',
  description: 'vision encode against a bare session.run',
  async run(options) {
    const model = await openEmbeddedModel();
    const { vision } = model.graphs;
    if (vision === undefined) throw new Error('the embedded model has no vision graph');
    const side = tileSideOf(model);
    const [one, four] = [pixelsOf(1, side), pixelsOf(4, side)];
    const encoder = await VisionEncoder.load(model, { threads: THREADS });
    const { tokens } = imagesOf(model).plan({ width: 64, height: 64 });
    const { hiddenSize } = model.geometry;
    const feed = (pixels: Float32Array, parts: number) => ({
      pixels,
      shape: [parts, 3, side, side],
      parts,
      tokens: parts * tokens,
      inputs: {},
    });
    const [single, target] = [1, 4].map((tiles) => new Float32Array(tiles * tokens * hiddenSize));
    if (single === undefined || target === undefined) throw new Error('two targets');
    const bare = await openBareSession(vision, THREADS);
    const [input = 'pixel_values'] = bare.inputNames;
    const feeds = { [input]: new Tensor('float32', one, [1, 1, 3, side, side]) };
    try {
      const tasks = [
        { name: 'session.run', run: () => bare.run(feeds) },
        { name: 'encoder, one image', run: () => encoder.encode(feed(one, 1), [single]) },
        {
          name: 'encoder, four images in one batch, into given memory',
          operations: 4,
          run: () => encoder.encode(feed(four, 4), [target]),
        },
      ] as const;
      return { tables: [await measure(`Encode, ${side}×${side} pixels`, 'image', [...tasks], options)] };
    } finally {
      await encoder.release();
      await bare.release();
    }
  },
};
