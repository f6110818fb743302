/**
 * GroupQueryAttention with all that stands before it: rotary embedding inside the operator, and one product for query, key and
 * value, whose weights onnxruntime joins when it loads the graph. On a GPU that is two operators instead of six.
 *
 *     x ─┬▶ MatMul ─▶ RotaryEmbedding ─┐
 *        ├▶ MatMul ─▶ RotaryEmbedding ─┼▶ GroupQueryAttention      x ─▶ MatMul ─▶ GroupQueryAttention
 *        └▶ MatMul ────────────────────┘
 *
 * The operator counts positions itself: from the tokens that a row holds. So it is only for exports whose positions are one
 * number a token, which are those very numbers.
 */
import type { OnnxNode } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute } from './graph-editor.ts';
import { INPUT } from './group-query-attention.ts';

const POSITIONS = 'position_ids';

export interface PackedAttention {
  /** Operators that now rotate queries and keys themselves. */
  readonly rotated: number;
  /** Those with one product before them. */
  readonly joined: number;
}

export function packAttention(editor: GraphEditor): PackedAttention {
  const counted = countsPositions(editor);
  let [rotated, joined] = [0, 0];
  for (const node of editor.nodesOf('GroupQueryAttention')) {
    if (counted && rotateInside(editor, node)) rotated += 1;
    if (joinProducts(editor, node)) joined += 1;
  }
  return { rotated, joined };
}

/** Whether positions are `[rows, length]`: with several axes, or counted elsewhere, they may be anything. */
function countsPositions({ graph }: GraphEditor): boolean {
  const positions = (graph.input ?? []).find(({ name }) => name === POSITIONS);
  return positions?.type?.tensorType?.shape?.dim?.length === 2;
}

function rotateInside(editor: GraphEditor, node: OnnxNode): boolean {
  const { input = [] } = node;
  if (intOf(node, 'do_rotary') !== 0) return false;
  const [q, k] = [input[INPUT.q], input[INPUT.k]].map((name) => rotationOf(editor, name ?? ''));
  if (q === undefined || k === undefined || q.interleaved !== k.interleaved) return false;
  if (q.cos !== k.cos || q.sin !== k.sin) return false;
  const before = [q, k].map(({ node: rotation }) => rotation);
  input[INPUT.q] = q.of;
  input[INPUT.k] = k.of;
  for (const rotation of before) if (isUnused(editor, rotation)) editor.remove(rotation);
  input[INPUT.cos] = q.cos;
  input[INPUT.sin] = q.sin;
  const others = (node.attribute ?? []).filter(
    ({ name }) => !/^(do_rotary|rotary_interleaved)$/.test(name ?? ''),
  );
  node.attribute = [
    ...others,
    intAttribute('do_rotary', 1),
    intAttribute('rotary_interleaved', q.interleaved),
  ];
  return true;
}

interface Rotation {
  readonly node: OnnxNode;
  readonly of: string;
  readonly cos: string;
  readonly sin: string;
  readonly interleaved: number;
}

/** Undefined where a value is not a plain rotation by the run's positions of whole heads. */
function rotationOf(editor: GraphEditor, name: string): Rotation | undefined {
  const node = editor.producer(name);
  if (node?.opType !== 'RotaryEmbedding' || node.domain !== 'com.microsoft') return undefined;
  const [of = '', positions, cos = '', sin = ''] = node.input ?? [];
  const scale = node.attribute?.find((one) => one.name === 'scale')?.f ?? 1;
  const isWhole = ['rotary_embedding_dim', 'is_packed_batching'].every((one) => intOf(node, one) === 0);
  const isTable = [cos, sin].every((table) => editor.constant(table) !== undefined);
  if (positions !== POSITIONS || scale !== 1 || !isWhole || !isTable) return undefined;
  return { node, of, cos, sin, interleaved: intOf(node, 'interleaved') };
}

function isUnused(editor: GraphEditor, { output = [] }: OnnxNode): boolean {
  return output.every((name) => editor.consumers(name).length === 0);
}

function joinProducts(editor: GraphEditor, node: OnnxNode): boolean {
  const { input = [] } = node;
  const names = [INPUT.q, INPUT.k, INPUT.v].map((index) => input[index] ?? '');
  const products = names.map((name) => editor.producer(name));
  const weights = products.flatMap((product) => {
    const [, weight = ''] = product?.opType === 'MatMul' ? (product.input ?? []) : [];
    return editor.constant(weight)?.dims?.length === 2 ? [weight] : [];
  });
  const sources = new Set(products.map((product) => product?.input?.[0]));
  const types = new Set(weights.map((weight) => editor.constant(weight)?.dataType));
  const [source] = sources;
  if (weights.length !== 3 || sources.size !== 1 || types.size !== 1 || source === undefined) return false;
  if (names.some((name) => editor.consumers(name).length !== 1)) return false;
  const joined = editor.add('Concat', weights, { attributes: [intAttribute('axis', 1)] });
  input[INPUT.q] = editor.add('MatMul', [source, joined]);
  input[INPUT.k] = '';
  input[INPUT.v] = '';
  return true;
}

function intOf(node: OnnxNode, name: string): number {
  return Number(node.attribute?.find((one) => one.name === name)?.i ?? 0);
}
