/** The vision graph of a generated model: a SigLIP-like tower, pixel shuffle, and the projection to the decoder. */
import { intAttribute, value } from '../../test/fixtures/graphs/graph-builder.ts';
import { floatAttribute, GraphWriter, intsAttribute, MICROSOFT } from './graph-writer.ts';
import type { Precision } from './precision.ts';
import { randomWeights } from './random-weights.ts';
import { gridOf, imageTokensOf, type ModelShape } from './shape.ts';

export function writeVisionEncoder(
  path: string,
  shape: ModelShape,
  precision: Precision,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { side, patch, hidden, layers } = shape.vision;
  const graph = new GraphWriter(precision);
  const grid = gridOf(shape);
  const images = graph.node('Reshape', ['pixel_values', graph.ints(-1, 3, side, side)], 'images');
  const kernel = graph.weights('patch_embedding', [hidden, 3, patch, patch], () =>
    randomWeights('patch_embedding', hidden * 3 * patch * patch, 1 / Math.sqrt(3 * patch * patch)),
  );
  const conv = [intsAttribute('kernel_shape', [patch, patch]), intsAttribute('strides', [patch, patch])];
  graph.node('Conv', [images, kernel], 'patches', conv);
  graph.node('Reshape', ['patches', graph.ints(-1, hidden, grid * grid)], 'patches_flat');
  graph.node('Transpose', ['patches_flat'], 'patches_last', [intsAttribute('perm', [0, 2, 1])]);
  const positions = graph.weights('positions', [1, grid * grid, hidden], () =>
    randomWeights('positions', grid * grid * hidden, 0.5),
  );
  let x = graph.node('Add', ['patches_last', positions], 'embedded');
  for (let layer = 0; layer < layers; layer++) x = visionLayer(graph, x, shape, `v${layer}`);
  x = layerNorm(graph, x, shape, 'vision_out');
  const width = shape.pixelShuffle ** 2 * hidden;
  const rows = grid / shape.pixelShuffle;
  const cells = graph.ints(-1, rows, shape.pixelShuffle, rows, shape.pixelShuffle, hidden);
  graph.node('Reshape', [x, cells], 'unshuffled');
  graph.node('Transpose', ['unshuffled'], 'shuffled', [intsAttribute('perm', [0, 1, 3, 2, 4, 5])]);
  graph.node('Reshape', ['shuffled', graph.ints(-1, imageTokensOf(shape), width)], 'gathered');
  linear(graph, 'gathered', 'connector', width, shape.text.hidden, 'image_features');
  return graph.save(
    path,
    [value('pixel_values', 'float32', ['batch_size', 'num_images', 3, side, side])],
    [value('image_features', 'float32', ['num_images_total', imageTokensOf(shape), shape.text.hidden])],
    onBytes,
  );
}

function visionLayer(graph: GraphWriter, x: string, shape: ModelShape, at: string): string {
  const { hidden, mlp, heads } = shape.vision;
  const normed = layerNorm(graph, x, shape, `${at}_norm1`);
  const qkv = ['q', 'k', 'v'].map((part) =>
    linear(graph, normed, `${at}_${part}_weight`, hidden, hidden, `${at}_${part}`),
  );
  graph.node('MultiHeadAttention', qkv, `${at}_attended`, [intAttribute('num_heads', heads)], MICROSOFT);
  linear(graph, `${at}_attended`, `${at}_out_weight`, hidden, hidden, `${at}_attention`);
  const middle = graph.node('Add', [x, `${at}_attention`], `${at}_middle`);
  const inner = layerNorm(graph, middle, shape, `${at}_norm2`);
  linear(graph, inner, `${at}_fc1_weight`, hidden, mlp, `${at}_inner`);
  graph.node('Gelu', [`${at}_inner`], `${at}_gelu`, [], MICROSOFT);
  linear(graph, `${at}_gelu`, `${at}_fc2_weight`, mlp, hidden, `${at}_mlp`);
  return graph.node('Add', [middle, `${at}_mlp`], `${at}_result`);
}

function layerNorm(graph: GraphWriter, x: string, { vision }: ModelShape, out: string): string {
  const ones = graph.constant('norm_scale', [vision.hidden], new Float32Array(vision.hidden).fill(1));
  const zeros = graph.constant('norm_bias', [vision.hidden], new Float32Array(vision.hidden));
  const attributes = [intAttribute('axis', -1), floatAttribute('epsilon', vision.epsilon)];
  return graph.node('LayerNormalization', [x, ones, zeros], out, attributes);
}

function linear(
  graph: GraphWriter,
  x: string,
  name: string,
  inputs: number,
  outputs: number,
  out: string,
): string {
  const weights = () => randomWeights(name, inputs * outputs, 1 / Math.sqrt(inputs));
  return graph.linear(x, name, { inputs, outputs, weights }, out);
}
