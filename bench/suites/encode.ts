/** The vision graph: images to embeddings, one tile at a time and several together. */

import { VisionEncoder } from '../../actors/encoder/vision-encoder.ts';
import { Tensor } from '../../actors/inference/onnxruntime.ts';
import { openBareSession } from '../bare/bare-session.ts';
import { openEmbeddedModel, pixelsOf, THREADS } from '../embedded-model.ts';
import { measure } from '../measure.ts';
import type { Suite } from '../suite.ts';

export const encodeSuite: Suite = {
  name: 'encode',
  description: 'vision encode against a bare session.run',
  async run(options) {
    const model = await openEmbeddedModel();
    const { vision } = model.graphs;
    if (vision === undefined) throw new Error('the embedded model has no vision graph');
    const side = model.geometry.tileSize;
    const [one, four] = [pixelsOf(1, side), pixelsOf(4, side)];
    const encoder = await VisionEncoder.load(model, { threads: THREADS });
    const target = new Float32Array(encoder.outputLength(4));
    const bare = await openBareSession(vision, THREADS);
    const [input = 'pixel_values'] = bare.inputNames;
    const feeds = { [input]: new Tensor('float32', one, [1, 1, 3, side, side]) };
    try {
      const tasks = [
        { name: 'session.run', run: () => bare.run(feeds) },
        { name: 'encoder, one image', run: () => encoder.encode(one, [1, 3, side, side]) },
        {
          name: 'encoder, four images in one batch, into given memory',
          operations: 4,
          run: () => encoder.encode(four, [4, 3, side, side], target),
        },
      ] as const;
      return { tables: [await measure(`Encode, ${side}×${side} pixels`, 'image', [...tasks], options)] };
    } finally {
      await encoder.release();
      await bare.release();
    }
  },
};
