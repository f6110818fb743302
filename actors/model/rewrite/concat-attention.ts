/**
 * Attention as plain exports have it, `present = Concat(past, new)` and matrix products over `present`, changed into
 * split attention. Only the two products are replaced; what stands between them (scaling, mask, softmax) stays.
 *
 *     past ─┐                                                   q ─┐
 *           Concat ─▶ present ─▶ [Unsqueeze, Expand, Reshape] ─▶ [Transpose] ─▶ [Mul c] ─▶ MatMul
 *     new ──┘                     repeats KV heads               keys only       keys only
 */
import type { OnnxNode } from '../onnx/onnx-types.ts';
import type { GraphEditor } from './graph-editor.ts';
import { NotRewritable } from './not-rewritable.ts';
import type { AttentionShape, SharedValues, SplitAttention, SplitTensor } from './split-attention.ts';

export interface ConcatContext {
  readonly editor: GraphEditor;
  readonly attention: SplitAttention;
  readonly shape: AttentionShape;
  readonly shared: SharedValues;
}

/** One layer's products, found. */
export interface ConcatLayer {
  readonly key: SplitTensor;
  readonly value: SplitTensor;
  readonly scores: OnnxNode;
  readonly context: OnnxNode;
  /** Constants by which keys are multiplied on their way to the product. */
  readonly keyFactors: readonly string[];
}

/** The past and the new rows that an output `present.*` is made of. @throws NotRewritable */
export function concatOf(editor: GraphEditor, present: string, past: string): SplitTensor {
  const node = editor.producer(present);
  if (node?.opType !== 'Concat')
    throw new NotRewritable(`${present} is made by ${node?.opType ?? 'nothing'}`);
  const axis = Number(node.attribute?.find(({ name }) => name === 'axis')?.i ?? 0);
  const [first, fresh, third] = node.input ?? [];
  if (first !== past || fresh === undefined || third !== undefined || (axis !== 2 && axis !== -2)) {
    throw new NotRewritable(`${present} is not ${past} with new tokens behind it`);
  }
  return { past, fresh };
}

/** @returns undefined when the attention of this layer is of an unknown kind */
export function findLayer(
  editor: GraphEditor,
  names: { readonly key: string; readonly value: string },
  parts: { readonly key: SplitTensor; readonly value: SplitTensor },
): ConcatLayer | undefined {
  const key = productOn(editor, names.key);
  const value = productOn(editor, names.value);
  if (key === undefined || value === undefined) return undefined;
  if (!key.transposed || value.transposed || value.factors.length > 0) return undefined;
  return { ...parts, scores: key.product, context: value.product, keyFactors: key.factors };
}

export function splitLayer(layer: ConcatLayer, { editor, attention, shape, shared }: ConcatContext): void {
  const { heads, kvHeads, headDim } = shape;
  const group = heads / kvHeads;
  const q = layer.keyFactors.reduce(
    (x, factor) => editor.add('Mul', [x, factor]),
    layer.scores.input?.[0] ?? '',
  );
  const q5 = editor.add('Reshape', [q, editor.int64s([0, kvHeads, group, -1, headDim])]);
  const s5 = attention.scores(q5, layer.key);
  const scores = layer.scores.output?.[0] ?? '';
  editor.remove(layer.scores);
  const rest = editor.int64s([-1]);
  const target = (...leading: number[]) =>
    editor.add('Concat', [editor.int64s(leading), shared.newLength, rest], {
      attributes: [{ name: 'axis', type: 2, i: 0 }],
    });
  editor.add('Reshape', [s5, target(0, heads)], { output: scores });

  const p5 = editor.add('Reshape', [layer.context.input?.[0] ?? '', target(0, kvHeads, group)]);
  const o5 = attention.context(p5, layer.value);
  const context = layer.context.output?.[0] ?? '';
  editor.remove(layer.context);
  editor.add('Reshape', [o5, editor.int64s([0, heads, -1, headDim])], { output: context });
}

/** Shape(present), which exports use to build other shapes, from the shapes of its parts. */
export function replaceShapes(editor: GraphEditor, present: string, { past, fresh }: SplitTensor): void {
  for (const node of editor.consumers(present)) {
    if (node.opType !== 'Shape' || (node.attribute ?? []).length > 0) continue;
    const output = node.output?.[0] ?? '';
    editor.remove(node);
    const added = editor.add('Mul', [editor.add('Shape', [fresh]), editor.int64s([0, 0, 1, 0])]);
    editor.add('Add', [editor.add('Shape', [past]), added], { output });
  }
}

interface Product {
  readonly product: OnnxNode;
  readonly transposed: boolean;
  readonly factors: readonly string[];
}

/** Follows `present` to the one MatMul that has it as its right side. */
function productOn(editor: GraphEditor, present: string): Product | undefined {
  let name = present;
  let transposed = false;
  let repeat: 'none' | 'unsqueezed' | 'expanded' = 'none';
  const factors: string[] = [];
  for (;;) {
    const node = onlyUser(editor, name);
    if (node === undefined) return undefined;
    const [first = '', second = ''] = node.input ?? [];
    if (node.opType === 'MatMul' && second === name) {
      return repeat === 'none' ? { product: node, transposed, factors } : undefined;
    }
    if (node.opType === 'Unsqueeze' && repeat === 'none' && !transposed && axesOf(editor, node) === '2') {
      repeat = 'unsqueezed';
    } else if (node.opType === 'Expand' && repeat === 'unsqueezed' && first === name) repeat = 'expanded';
    else if (node.opType === 'Reshape' && repeat === 'expanded' && first === name) repeat = 'none';
    else if (node.opType === 'Transpose' && repeat === 'none' && permOf(node) === '0,1,3,2') {
      transposed = !transposed;
    } else if (node.opType === 'Mul' && repeat === 'none') {
      const factor = first === name ? second : first;
      if (!editor.isScalar(factor)) return undefined;
      factors.push(factor);
    } else return undefined;
    name = node.output?.[0] ?? '';
  }
}

/** The one node that uses a value's content; nodes that only ask for its shape do not count. */
function onlyUser(editor: GraphEditor, name: string): OnnxNode | undefined {
  const users = editor.consumers(name).filter(({ opType }) => opType !== 'Shape');
  return users.length === 1 ? users[0] : undefined;
}

function axesOf(editor: GraphEditor, node: OnnxNode): string {
  const attribute = node.attribute?.find(({ name }) => name === 'axes')?.ints;
  if (attribute !== undefined) return attribute.join();
  const raw = editor.constant(node.input?.[1] ?? '')?.rawData;
  return raw === undefined || raw.length !== 8
    ? ''
    : String(new DataView(raw.buffer, raw.byteOffset).getBigInt64(0, true));
}

function permOf(node: OnnxNode): string {
  return node.attribute?.find(({ name }) => name === 'perm')?.ints?.join() ?? '';
}
