/**
 * Rewrites a decoder so that a step hands over nothing but what is new. Every standard export outputs `present.*`,
 * the whole cache, at each step; copying that out dominates decoding. Afterwards
 *
 *     inputs   as before; `position_ids` where rotary embedding was inside the attention operator
 *              attention_mask [B, T + S]: the past, unused places 0, then the new tokens
 *     outputs  logits [B, 1, vocabulary], likeliest.* (see `likeliest.ts`), new.N.{key,value} [B, kvHeads, S, headDim]
 *
 * (logits as many as `num_logits_to_keep` says where there is that input) and the past, of any capacity T, is read in
 * place (see `split-attention.ts`), except where a run of one prompt has an operator for it (`prompt-attention.ts`).
 * Activations in 8 bits get a scale for each token (`row-quantization.ts`). Products of the same numbers are joined
 * (`joined-products.ts`).
 */
import type { OnnxModel, OnnxValueInfo } from '../onnx/onnx-types.ts';
import { CausalBias } from './causal-bias.ts';
import { concatOf, findLayer, replaceShapes, splitLayer } from './concat-attention.ts';
import { GraphEditor } from './graph-editor.ts';
import { checkGroupQuery, splitGroupQuery, windowOf } from './group-query-attention.ts';
import { joinProducts } from './joined-products.ts';
import { keepLastLogits } from './last-logits.ts';
import { addLikeliest } from './likeliest.ts';
import { NotRewritable } from './not-rewritable.ts';
import { PromptAttention } from './prompt-attention.ts';
import { quantizeByRow, type RowQuantization } from './row-quantization.ts';
import { type AttentionShape, type SharedValues, SplitAttention } from './split-attention.ts';
import { StepAttention } from './step-attention.ts';

/** What became of the attention: `split`, or `kept` with the cache joined inside the graph. */
export type RewrittenAttention = 'split' | 'kept';

const FLOAT = 1;
const INT64 = 7;
const PAST = /^past_key_values\.(\d+)\.(key|value)$/;

export interface DecoderFacts {
  readonly attention: RewrittenAttention;
  readonly quantization: RowQuantization;
}

/**
 * Changes `model` in place.
 *
 * @param products changes products with weights before they are joined
 * @throws NotRewritable saying why; the model is then of no use
 */
export function rewriteDecoder(
  model: OnnxModel,
  shape: AttentionShape,
  products?: (editor: GraphEditor) => void,
): DecoderFacts {
  const editor = new GraphEditor(model);
  const layers = layersOf(editor, shape);
  const shared = sharedValues(editor, layers);
  const attention = new SplitAttention(editor, shape, shared);
  const grouped = editor.nodesOf('GroupQueryAttention');
  const rewritten =
    grouped.length > 0
      ? rewriteGroupQuery(editor, layers, shape, shared, attention)
      : rewriteConcat(editor, layers, shape, shared, attention);
  editor.graph.output = [
    ...(editor.graph.output ?? []).filter(({ name = '' }) => !name.startsWith('present.')),
    ...rewritten.outputs,
  ];
  keepLastLogits(editor);
  const quantization = quantizeByRow(editor);
  addLikeliest(editor);
  products?.(editor);
  joinProducts(editor);
  editor.finish();
  return { attention: rewritten.attention, quantization };
}

interface Rewritten {
  readonly attention: RewrittenAttention;
  readonly outputs: OnnxValueInfo[];
}

function rewriteGroupQuery(
  editor: GraphEditor,
  layers: readonly string[],
  shape: AttentionShape,
  shared: SharedValues,
  attention: SplitAttention,
): Rewritten {
  const positions = 'position_ids';
  if (!(editor.graph.input ?? []).some(({ name }) => name === positions)) {
    editor.graph.input?.push(valueInfo(positions, INT64, ['batch_size', 'sequence_length']));
  }
  const bias = new CausalBias(editor, shared);
  const context = { editor, attention, shape, positions };
  const steps = new StepAttention(editor, shape, shared);
  const prompt = new PromptAttention(editor, shape, shared, steps.isStep);
  const outputs = layers.flatMap((layer) => {
    const node = editor.producer(`present.${layer}.key`);
    if (node?.opType !== 'GroupQueryAttention') {
      throw new NotRewritable(`present.${layer}.key is made by ${node?.opType ?? 'nothing'}`);
    }
    checkGroupQuery(node, shape);
    // Outside of the branch, where layers can share it.
    const ofLayer = { ...context, bias: bias.of(windowOf(node)) };
    const { key, value } = prompt.join(
      node,
      () => steps.stepGroupQuery(node, ofLayer),
      () => splitGroupQuery(node, ofLayer),
    );
    return [rows(editor, layer, 'key', key, shape), rows(editor, layer, 'value', value, shape)];
  });
  return { attention: 'split', outputs };
}

function rewriteConcat(
  editor: GraphEditor,
  layers: readonly string[],
  shape: AttentionShape,
  shared: SharedValues,
  attention: SplitAttention,
): Rewritten {
  const parts = layers.map((layer) => ({
    names: { key: `present.${layer}.key`, value: `present.${layer}.value` },
    key: concatOf(editor, `present.${layer}.key`, `past_key_values.${layer}.key`),
    value: concatOf(editor, `present.${layer}.value`, `past_key_values.${layer}.value`),
  }));
  const found = parts.map((part) => findLayer(editor, part.names, part));
  const split = found.every((layer) => layer !== undefined);
  if (split) {
    for (const part of parts) {
      replaceShapes(editor, part.names.key, part.key);
      replaceShapes(editor, part.names.value, part.value);
    }
    for (const layer of found) splitLayer(layer, { editor, attention, shape, shared });
  }
  const outputs = layers.flatMap((layer, index) => [
    rows(editor, layer, 'key', parts[index]?.key.fresh ?? '', shape),
    rows(editor, layer, 'value', parts[index]?.value.fresh ?? '', shape),
  ]);
  return { attention: split ? 'split' : 'kept', outputs };
}

/** Numbers of the layers, in the graph's order. */
function layersOf(editor: GraphEditor, { kvHeads, headDim }: AttentionShape): string[] {
  const layers: string[] = [];
  for (const { name = '', type } of editor.graph.input ?? []) {
    const [, layer, kind] = PAST.exec(name) ?? [];
    if (layer === undefined) continue;
    if (type?.tensorType?.elemType !== FLOAT) throw new NotRewritable(`${name} is not float32`);
    const [, heads, , width] = type.tensorType.shape?.dim ?? [];
    if (Number(heads?.dimValue ?? kvHeads) !== kvHeads || Number(width?.dimValue ?? headDim) !== headDim) {
      throw new NotRewritable(`${name} has another shape than config.json says`);
    }
    if (kind === 'key') layers.push(layer);
  }
  if (layers.length === 0) throw new NotRewritable('the decoder has no past_key_values.N.key inputs');
  return layers;
}

function sharedValues(editor: GraphEditor, [first]: readonly string[]): SharedValues {
  const inputs = new Set((editor.graph.input ?? []).map(({ name }) => name));
  if (!inputs.has('attention_mask')) throw new NotRewritable('the decoder has no attention_mask');
  const tokens = inputs.has('inputs_embeds') ? 'inputs_embeds' : 'input_ids';
  const dimension = (of: string, index: number): string =>
    editor.add('Slice', [
      editor.add('Shape', [of]),
      editor.int64s([index]),
      editor.int64s([index + 1]),
      editor.int64s([0]),
    ]);
  return {
    batch: dimension(tokens, 0),
    pastLength: dimension(`past_key_values.${first}.key`, 2),
    newLength: dimension(tokens, 1),
  };
}

/** An output `new.N.kind` that repeats an inner value under that name. */
function rows(
  editor: GraphEditor,
  layer: string,
  kind: 'key' | 'value',
  source: string,
  { kvHeads, headDim }: AttentionShape,
): OnnxValueInfo {
  const name = `new.${layer}.${kind}`;
  editor.add('Identity', [source], { output: name });
  return valueInfo(name, FLOAT, ['batch_size', kvHeads, 'sequence_length', headDim]);
}

function valueInfo(name: string, elemType: number, dims: readonly (number | string)[]): OnnxValueInfo {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
