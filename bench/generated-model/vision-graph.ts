/**
 * The vision graph of a generated model: a SigLIP-like tower, pixel shuffle, and the projection to the decoder; or what stands in
 * for the tower of another family.
 */
import { intAttribute, value } from '../../test/fixtures/graphs/graph-builder.ts';
import { floatAttribute, GraphWriter, intsAttribute, MICROSOFT } from './graph-writer.ts';
import { linear } from './linear.ts';
import type { Precision } from './precision.ts';
import { randomWeights } from './random-weights.ts';
import { gridOf, imageTokensOf, type ModelShape, type TowerShape } from './shape.ts';
import { writePatches, writePicture } from './vision-stand-ins.ts';

export function writeVisionEncoder(
  path: string,
  shape: ModelShape,
  precision: Precision,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const graph = new GraphWriter(precision);
  const { vision, text } = shape;
  switch (vision.kind) {
    case 'tower':
      return writeTower(path, graph, vision, text.hidden, onBytes);
    case 'patches':
      return writePatches(path, graph, vision, text.hidden, onBytes);
    case 'picture':
      return writePicture(path, graph, vision, text.hidden, onBytes);
  }
}

function writeTower(
  path: string,
  graph: GraphWriter,
  vision: TowerShape,
  textHidden: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { side, patch, hidden, layers } = vision;
  const grid = gridOf(vision);
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
  for (let layer = 0; layer < layers; layer++) x = visionLayer(graph, x, vision, `v${layer}`);
  x = layerNorm(graph, x, vision, 'vision_out');
  const width = vision.pixelShuffle ** 2 * hidden;
  const rows = grid / vision.pixelShuffle;
  const cells = graph.ints(-1, rows, vision.pixelShuffle, rows, vision.pixelShuffle, hidden);
  graph.node('Reshape', [x, cells], 'unshuffled');
  graph.node('Transpose', ['unshuffled'], 'shuffled', [intsAttribute('perm', [0, 1, 3, 2, 4, 5])]);
  graph.node('Reshape', ['shuffled', graph.ints(-1, imageTokensOf(vision), width)], 'gathered');
  linear(graph, 'gathered', 'connector', width, textHidden, 'image_features');
  return graph.save(
    path,
    [value('pixel_values', 'float32', ['batch_size', 'num_images', 3, side, side])],
    [value('image_features', 'float32', ['num_images_total', imageTokensOf(vision), textHidden])],
    onBytes,
  );
}

function visionLayer(graph: GraphWriter, x: string, vision: TowerShape, at: string): string {
  const { hidden, mlp, heads } = vision;
  const normed = layerNorm(graph, x, vision, `${at}_norm1`);
  const qkv = ['q', 'k', 'v'].map((part) =>
    linear(graph, normed, `${at}_${part}_weight`, hidden, hidden, `${at}_${part}`),
  );
  graph.node('MultiHeadAttention', qkv, `${at}_attended`, [intAttribute('num_heads', heads)], MICROSOFT);
  linear(graph, `${at}_attended`, `${at}_out_weight`, hidden, hidden, `${at}_attention`);
  const middle = graph.node('Add', [x, `${at}_attention`], `${at}_middle`);
  const inner = layerNorm(graph, middle, vision, `${at}_norm2`);
  linear(graph, inner, `${at}_fc1_weight`, hidden, mlp, `${at}_inner`);
  graph.node('Gelu', [`${at}_inner`], `${at}_gelu`, [], MICROSOFT);
  linear(graph, `${at}_gelu`, `${at}_fc2_weight`, mlp, hidden, `${at}_mlp`);
  return graph.node('Add', [middle, `${at}_mlp`], `${at}_result`);
}

function layerNorm(graph: GraphWriter, x: string, vision: TowerShape, out: string): string {
  const ones = graph.constant('norm_scale', [vision.hidden], new Float32Array(vision.hidden).fill(1));
  const zeros = graph.constant('norm_bias', [vision.hidden], new Float32Array(vision.hidden));
  const attributes = [intAttribute('axis', -1), floatAttribute('epsilon', vision.epsilon)];
  return graph.node('LayerNormalization', [x, ones, zeros], out, attributes);
}
