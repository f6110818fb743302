/**
 * The decoder graph of a generated model, in either of the two ways in which the Hub's decoders attend to their past
 * (`gqa-attention.ts`, `concat-attention.ts`).
 */
import type { OnnxValueInfo } from '../../actors/model/onnx/onnx-types.ts';
import { value } from '../../test/fixtures/graphs/graph-builder.ts';
import { ConcatAttention } from './concat-attention.ts';
import { DecoderLayers, rmsNorm } from './decoder-layer.ts';
import { GroupQueryAttention } from './gqa-attention.ts';
import { GraphWriter } from './graph-writer.ts';
import type { Precision } from './precision.ts';
import { randomWeights } from './random-weights.ts';
import type { AttentionKind, ModelShape } from './shape.ts';

export interface DecoderFile {
  readonly path: string;
  readonly shape: ModelShape;
  readonly precision: Precision;
  readonly attention: AttentionKind;
  /** Ids below this have logit 0: control tokens and bytes, which would end an answer or leave a character open. */
  readonly firstWord: number;
}

export function writeDecoder(file: DecoderFile, onBytes: (bytes: number) => void): Promise<void> {
  const { shape, attention: kind } = file;
  const { layers, hidden } = shape.text;
  const graph = new GraphWriter(file.precision);
  const attention =
    kind === 'gqa' ? new GroupQueryAttention(graph, shape) : new ConcatAttention(graph, shape);
  const decoder = new DecoderLayers(graph, shape.text, attention);
  let x = 'inputs_embeds';
  for (let layer = 0; layer < layers; layer++) x = decoder.add(layer, x);
  if (kind === 'gqa') x = lastPositions(graph, x);
  x = rmsNorm(graph, x, shape.text, 'normed');
  const weights = () => headWeights(shape, file.firstWord);
  graph.linear(x, 'lm_head', { inputs: hidden, outputs: shape.vocabulary, weights }, 'logits');
  return graph.save(file.path, inputsOf(shape, kind), outputsOf(shape), onBytes);
}

/** The last `num_logits_to_keep` positions; 0 keeps all. */
function lastPositions(graph: GraphWriter, x: string): string {
  graph.node('Neg', ['num_logits_to_keep'], 'first_kept_scalar');
  const start = graph.node('Unsqueeze', ['first_kept_scalar', graph.ints(0)], 'first_kept');
  return graph.node('Slice', [x, start, graph.ints(Number.MAX_SAFE_INTEGER), graph.ints(1)], 'kept');
}

/** A table of its own, not the embeddings: tied random weights would make the model repeat its last token. */
function headWeights({ vocabulary, text }: ModelShape, firstWord: number): Float32Array {
  const weights = randomWeights('lm_head', vocabulary * text.hidden, 1 / Math.sqrt(text.hidden));
  return weights.fill(0, 0, firstWord * text.hidden);
}

function inputsOf(shape: ModelShape, kind: AttentionKind): OnnxValueInfo[] {
  const axes = shape.text.sections === undefined ? [] : [shape.text.sections.length];
  return [
    value('inputs_embeds', 'float32', ['batch_size', 'sequence_length', shape.text.hidden]),
    value('attention_mask', 'int64', ['batch_size', 'total_sequence_length']),
    value('position_ids', 'int64', [...axes, 'batch_size', 'sequence_length']),
    ...(kind === 'gqa' ? [value('num_logits_to_keep', 'int64', [])] : []),
    ...caches(shape, 'past_key_values', 'past_sequence_length'),
  ];
}

function outputsOf(shape: ModelShape): OnnxValueInfo[] {
  return [
    value('logits', 'float32', ['batch_size', 'logits_length', shape.vocabulary]),
    ...caches(shape, 'present', 'total_sequence_length'),
  ];
}

function caches({ text }: ModelShape, prefix: string, length: string): OnnxValueInfo[] {
  return Array.from({ length: text.layers }, (_, layer) =>
    ['key', 'value'].map((part) =>
      value(`${prefix}.${layer}.${part}`, 'float32', ['batch_size', text.kvHeads, length, text.headDim]),
    ),
  ).flat();
}
