/**
 * com.microsoft.MultiHeadAttention that is told which keys count by `key_padding_mask`, told so by `attention_bias`: onnxruntime's
 * WebGPU provider has only that one. Vision graphs of images padded with empty patches have such masks, and those that
 * see windows of several sizes.
 *
 *     key_padding_mask int32 [B, T]        0: no key
 *     attention_bias   float [B, 1, S, T]  added to the scores
 */
import type { OnnxNode } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute } from './graph-editor.ts';

const INT64 = 7;
const OPERATOR = 'MultiHeadAttention';
/** Inputs by position, after the operator's definition. */
const INPUT = { query: 0, key: 1, mask: 4, bias: 5 } as const;
/** The lowest number of float16, which no score of a model that runs in it comes near; in float32 it does as well. */
const LOWEST = -65_504;

/** Operators that `maskAsBias` changes. One that has a bias as well, or packed keys, stays as it is. */
export function masksOf(editor: GraphEditor): OnnxNode[] {
  return editor.nodesOf(OPERATOR).filter(({ input = [] }) => {
    return (input[INPUT.mask] ?? '') !== '' && (input[INPUT.bias] ?? '') === '' && input[INPUT.key] !== '';
  });
}

/** @returns how many operators have been changed */
export function maskAsBias(editor: GraphEditor): number {
  const masked = masksOf(editor);
  const penalties = new Map<string, string>();
  for (const node of masked) replaceMask(editor, node, penalties);
  return masked.length;
}

/** @param penalties what has been made of each mask, by its name */
function replaceMask(editor: GraphEditor, node: OnnxNode, penalties: Map<string, string>): void {
  const input = [...(node.input ?? [])];
  const [query = '', key = '', mask = ''] = [input[INPUT.query], input[INPUT.key], input[INPUT.mask]];
  const penalty = penalties.get(mask) ?? penaltyOf(editor, mask);
  penalties.set(mask, penalty);
  const one = editor.int64s([1]);
  const sizes = [lengthOf(editor, mask, 0), one, lengthOf(editor, query, 1), lengthOf(editor, key, 1)];
  const shape = joined(editor, sizes);
  // A mask that is lengths, which the operator takes too, has too few numbers for this and fails.
  const byKey = editor.add('Reshape', [penalty, joined(editor, [sizes[0] ?? '', one, one, sizes[3] ?? ''])]);
  const spread = editor.add('Expand', [byKey, shape]);
  input[INPUT.mask] = '';
  input[INPUT.bias] = editor.add('CastLike', [spread, query]);
  node.input = input;
}

/** float32 `[B, T]` */
function penaltyOf(editor: GraphEditor, mask: string): string {
  const wide = editor.add('Cast', [mask], { attributes: [intAttribute('to', INT64)] });
  const unused = editor.add('Equal', [wide, editor.int64s(0)]);
  return editor.add('Where', [unused, editor.float(LOWEST), editor.float(0)]);
}

function lengthOf(editor: GraphEditor, tensor: string, axis: number): string {
  const shape = editor.add('Shape', [tensor]);
  return editor.add('Slice', [shape, ...[axis, axis + 1, 0].map((one) => editor.int64s([one]))]);
}

function joined(editor: GraphEditor, sizes: readonly string[]): string {
  return editor.add('Concat', sizes, { attributes: [intAttribute('axis', 0)] });
}
