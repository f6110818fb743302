/**
 * com.microsoft.GroupQueryAttention, written out as rotary embedding and split attention. The operator itself copies
 * the whole past into `present` at each step, whether that is fetched or not.
 */
import type { OnnxNode } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute, intsAttribute } from './graph-editor.ts';
import { NotRewritable } from './not-rewritable.ts';
import type { AttentionShape, SplitAttention } from './split-attention.ts';

const MICROSOFT = 'com.microsoft';

/** Inputs by position, after the operator's definition. */
export const INPUT = {
  q: 0,
  k: 1,
  v: 2,
  pastKey: 3,
  pastValue: 4,
  lengths: 5,
  totalLength: 6,
  cos: 7,
  sin: 8,
  positions: 9,
  /** Per query head, one more score in each softmax, for which no token stands. */
  sinks: 11,
} as const;

export interface GroupQueryContext {
  readonly editor: GraphEditor;
  readonly attention: SplitAttention;
  readonly shape: AttentionShape;
  /** `position_ids` `[B, S]`. */
  readonly positions: string;
  /** `[B, 1, 1, S, T + S]`, added to the scores. */
  readonly bias: string;
}

/** What stands in for one operator: names of its output `[B, S, heads · headDim]` and of the new keys and values. */
export interface SplitGroupQuery {
  readonly output: string;
  /** `[B, kvHeads, S, headDim]` */
  readonly key: string;
  readonly value: string;
}

/** Adds the nodes that stand in for one operator; the operator itself stays. */
export function splitGroupQuery(node: OnnxNode, context: GroupQueryContext): SplitGroupQuery {
  const { editor, attention, shape } = context;
  const { heads, kvHeads, headDim } = shape;
  const [q, k, v] = projections(node, editor, shape);
  // Before the product, not in it: with a factor onnxruntime does not run it as a matrix–vector product.
  const scaled = editor.add('Mul', [rotated(node, q, heads, context), editor.float(scaleOf(node, headDim))]);
  const grouped = editor.int64s([0, 0, kvHeads, heads / kvHeads, headDim]);
  const q5 = transposed(editor, editor.add('Reshape', [scaled, grouped]), [0, 2, 3, 1, 4]);
  const byHead = editor.int64s([0, 0, kvHeads, headDim]);
  const [key, value] = [rotated(node, k, kvHeads, context), v].map((one) =>
    transposed(editor, editor.add('Reshape', [one, byHead]), [0, 2, 1, 3]),
  );
  if (key === undefined || value === undefined) throw new TypeError('two in, two out');
  const past = (index: number): string => node.input?.[index] ?? '';
  const scores = attention.scores(q5, { past: past(INPUT.pastKey), fresh: key });
  const biased = editor.add('Add', [capped(node, scores, editor), context.bias]);
  const p = editor.add('Softmax', [biased], { attributes: [intAttribute('axis', 4)] });
  const o5 = attention.context(p, { past: past(INPUT.pastValue), fresh: value });
  const o = transposed(editor, o5, [0, 3, 1, 2, 4]);
  return { output: editor.add('Reshape', [o, editor.int64s([0, 0, heads * headDim])]), key, value };
}

/** @throws NotRewritable when the operator does something that is not written out here */
export function checkGroupQuery(node: OnnxNode, { heads, kvHeads }: AttentionShape): void {
  const refuse = (what: string) => new NotRewritable(`GroupQueryAttention with ${what}`);
  if (intOf(node, 'num_heads', 0) !== heads || intOf(node, 'kv_num_heads', 0) !== kvHeads) {
    throw refuse('other head counts than config.json');
  }
  const window = intOf(node, 'local_window_size', -1);
  if (window !== -1 && window < 1) throw refuse(`a local window of ${window}`);
  if (floatOf(node, 'softcap') < 0) throw refuse('a negative softcap');
  if (intOf(node, 'smooth_softmax', 0) === 1) throw refuse('a smooth softmax');
  const further = (node.input ?? []).slice(INPUT.positions + 1).some((name) => name !== '');
  if (further) throw refuse('a bias, sinks or a quantized cache');
  if ((node.output ?? []).slice(3).some((name) => name !== '')) throw refuse('scores as an output');
}

/** What scores are multiplied by. */
export function scaleOf(node: OnnxNode, headDim: number): number {
  return floatOf(node, 'scale') || 1 / Math.sqrt(headDim);
}

/** Query, key and value, `[B, S, …]`; cut apart where the export packs them into one. */
export function projections(
  node: OnnxNode,
  editor: GraphEditor,
  { heads, kvHeads, headDim }: AttentionShape,
): [string, string, string] {
  const [q = '', k = '', v = ''] = node.input ?? [];
  if (k !== '' && v !== '') return [q, k, v];
  const ends = [0, heads, heads + kvHeads, heads + 2 * kvHeads].map((end) => editor.int64s([end * headDim]));
  const axis = editor.int64s([2]);
  const part = (index: number) => editor.add('Slice', [q, ends[index] ?? '', ends[index + 1] ?? '', axis]);
  return [part(0), part(1), part(2)];
}

/** Tokens that one sees, itself among them; undefined: all before it. */
export function windowOf(node: OnnxNode): number | undefined {
  const window = intOf(node, 'local_window_size', -1);
  return window === -1 ? undefined : window;
}

/** Scores brought between −softcap and softcap, before the mask, as Gemma 2 has them. */
export function capped(node: OnnxNode, scores: string, editor: GraphEditor): string {
  const softcap = floatOf(node, 'softcap');
  if (softcap === 0) return scores;
  const cap = editor.float(softcap);
  return editor.add('Mul', [editor.add('Tanh', [editor.add('Div', [scores, cap])]), cap]);
}

/** Queries or keys `[B, S, heads · headDim]` with rotary embedding, where the operator does that. */
export function rotated(
  node: OnnxNode,
  x: string,
  heads: number,
  { editor, shape, positions }: GroupQueryContext,
): string {
  if (intOf(node, 'do_rotary', 0) === 0) return x;
  const cos = node.input?.[INPUT.cos] ?? '';
  const sin = node.input?.[INPUT.sin] ?? '';
  const given = node.input?.[INPUT.positions] ?? '';
  const attributes = [intAttribute('interleaved', intOf(node, 'rotary_interleaved', 0))];
  const half = Number(editor.constant(cos)?.dims?.[1] ?? shape.headDim / 2);
  if (2 * half !== shape.headDim) {
    attributes.push(intAttribute('rotary_embedding_dim', 2 * half), intAttribute('num_heads', heads));
  }
  const input = [x, given === '' ? positions : given, cos, sin];
  return editor.add('RotaryEmbedding', input, { attributes, domain: MICROSOFT });
}

function transposed(editor: GraphEditor, x: string, perm: readonly number[]): string {
  return editor.add('Transpose', [x], { attributes: [intsAttribute('perm', perm)] });
}

function intOf(node: OnnxNode, name: string, fallback: number): number {
  return Number(node.attribute?.find((one) => one.name === name)?.i ?? fallback);
}

function floatOf(node: OnnxNode, name: string): number {
  return node.attribute?.find((one) => one.name === name)?.f ?? 0;
}
