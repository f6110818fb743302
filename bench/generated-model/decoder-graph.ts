/**
 * The decoder graph of a generated model: a Llama with grouped heads, in either of the two ways in which the Hub's
 * decoders attend to their past (`gqa-attention.ts`, `concat-attention.ts`).
 */
import type { OnnxValueInfo } from '../../actors/model/onnx/onnx-types.ts';
import { intAttribute, value } from '../../test/fixtures/graphs/graph-builder.ts';
import { ConcatAttention } from './concat-attention.ts';
import { GroupQueryAttention } from './gqa-attention.ts';
import { floatAttribute, GraphWriter } from './graph-writer.ts';
import type { Precision } from './precision.ts';
import { randomWeights } from './random-weights.ts';
import type { AttentionKind, ModelShape } from './shape.ts';

/** What a kind of attention adds to the graph. */
export interface Attention {
  /** From the projections of one layer to `[batch, length, hidden]`, with `present.N.{key,value}` as outputs. */
  attend(layer: number, q: string, k: string, v: string): string;
}

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
  let x = 'inputs_embeds';
  for (let layer = 0; layer < layers; layer++) x = decoderLayer(graph, x, shape, layer, attention);
  if (kind === 'gqa') x = lastPositions(graph, x);
  x = rmsNorm(graph, x, shape, 'normed');
  const weights = () => headWeights(shape, file.firstWord);
  graph.linear(x, 'lm_head', { inputs: hidden, outputs: shape.vocabulary, weights }, 'logits');
  return graph.save(file.path, inputsOf(shape, kind), outputsOf(shape), onBytes);
}

function decoderLayer(
  graph: GraphWriter,
  x: string,
  shape: ModelShape,
  layer: number,
  attention: Attention,
): string {
  const { text } = shape;
  const at = `t${layer}`;
  const linear = (from: string, part: string, inputs: number, outputs: number): string => {
    const name = `${at}_${part}_weight`;
    const weights = () => randomWeights(name, inputs * outputs, 1 / Math.sqrt(inputs));
    return graph.linear(from, name, { inputs, outputs, weights }, `${at}_${part}`);
  };
  const normed = rmsNorm(graph, x, shape, `${at}_norm1`);
  const attended = attention.attend(
    layer,
    linear(normed, 'q', text.hidden, text.heads * text.headDim),
    linear(normed, 'k', text.hidden, text.kvHeads * text.headDim),
    linear(normed, 'v', text.hidden, text.kvHeads * text.headDim),
  );
  const middle = graph.node(
    'Add',
    [x, linear(attended, 'o', text.heads * text.headDim, text.hidden)],
    `${at}_middle`,
  );
  const inner = rmsNorm(graph, middle, shape, `${at}_norm2`);
  const gate = linear(inner, 'gate', text.hidden, text.mlp);
  graph.node('Sigmoid', [gate], `${at}_sigmoid`);
  graph.node('Mul', [gate, `${at}_sigmoid`], `${at}_silu`);
  graph.node('Mul', [`${at}_silu`, linear(inner, 'up', text.hidden, text.mlp)], `${at}_gated`);
  return graph.node('Add', [middle, linear(`${at}_gated`, 'down', text.mlp, text.hidden)], `${at}_result`);
}

function rmsNorm(graph: GraphWriter, x: string, { text }: ModelShape, out: string): string {
  const ones = graph.constant('norm_scale', [text.hidden], new Float32Array(text.hidden).fill(1));
  const attributes = [
    intAttribute('axis', -1),
    floatAttribute('epsilon', text.epsilon),
    intAttribute('stash_type', 1),
  ];
  return graph.node('SimplifiedLayerNormalization', [x, ones], out, attributes);
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
  return [
    value('inputs_embeds', 'float32', ['batch_size', 'sequence_length', shape.text.hidden]),
    value('attention_mask', 'int64', ['batch_size', 'total_sequence_length']),
    value('position_ids', 'int64', ['batch_size', 'sequence_length']),
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
