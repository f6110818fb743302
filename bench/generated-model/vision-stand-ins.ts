/**
 * Vision graphs with the inputs and outputs of a family and next to none of its work: patches are embedded and projected to the
 * decoder's width, no patch sees another. For measuring decoders; they say nothing of a family's time for an image.
 */
import { intAttribute, value } from '../../test/fixtures/graphs/graph-builder.ts';
import { type GraphWriter, intsAttribute } from './graph-writer.ts';
import { linear } from './linear.ts';
import { randomWeights } from './random-weights.ts';
import { gridOf, imageTokensOf, type PatchesShape, type PictureShape } from './shape.ts';

const CHANNELS = 3;

/** `pixel_values` [patches, values] and the grid of each image → `image_features` [tokens, hidden], as Qwen2-VL's export. */
export function writePatches(
  path: string,
  graph: GraphWriter,
  { hidden, patch, frames, merge }: PatchesShape,
  textHidden: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const values = CHANNELS * frames * patch ** 2;
  // A convolution in trained models, which exporters leave in 32 bits.
  const kernel = graph.weights('patch_embedding', [values, hidden], () =>
    randomWeights('patch_embedding', values * hidden, 1 / Math.sqrt(values)),
  );
  graph.node('MatMul', ['pixel_values', kernel], 'patches');
  // By the grid, so that one which is not the pixels' own fails.
  graph.node('ReduceProd', ['grid_thw'], 'patches_by_image', [intsAttribute('axes', [1])]);
  graph.node('ReduceSum', ['patches_by_image', graph.ints(0)], 'patch_count');
  graph.node('Div', ['patch_count', graph.scalar(merge ** 2)], 'token_rows');
  graph.node('Reshape', ['token_rows', graph.ints(1)], 'token_count');
  const width = merge ** 2 * hidden;
  const shape = graph.node('Concat', ['token_count', graph.ints(width)], 'merged_shape', [
    intAttribute('axis', 0),
  ]);
  graph.node('Reshape', ['patches', shape], 'merged');
  linear(graph, 'merged', 'connector', width, textHidden, 'image_features');
  return graph.save(
    path,
    [
      value('pixel_values', 'float32', ['num_patches', values]),
      value('grid_thw', 'int64', ['num_images', 3]),
    ],
    [value('image_features', 'float32', ['num_tokens', textHidden])],
    onBytes,
  );
}

/** `pixel_values` [images, 3, side, side] → `image_features` [images, tokens, hidden], as Gemma 3's export. */
export function writePicture(
  path: string,
  graph: GraphWriter,
  vision: PictureShape,
  textHidden: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { hidden, side, patch, pool } = vision;
  const values = CHANNELS * patch ** 2;
  const kernel = graph.weights('patch_embedding', [hidden, CHANNELS, patch, patch], () =>
    randomWeights('patch_embedding', hidden * values, 1 / Math.sqrt(values)),
  );
  const square = (size: number) => [
    intsAttribute('kernel_shape', [size, size]),
    intsAttribute('strides', [size, size]),
  ];
  graph.node('Conv', ['pixel_values', kernel], 'patches', square(patch));
  graph.node('AveragePool', ['patches'], 'pooled', square(pool));
  const tokens = imageTokensOf(vision);
  const cells = gridOf(vision) / pool;
  graph.node('Reshape', ['pooled', graph.ints(-1, hidden, cells ** 2)], 'pooled_flat');
  graph.node('Transpose', ['pooled_flat'], 'pooled_last', [intsAttribute('perm', [0, 2, 1])]);
  linear(graph, 'pooled_last', 'connector', hidden, textHidden, 'image_features');
  return graph.save(
    path,
    [value('pixel_values', 'float32', ['num_images', CHANNELS, side, side])],
    [value('image_features', 'float32', ['num_images', tokens, textHidden])],
    onBytes,
  );
}
