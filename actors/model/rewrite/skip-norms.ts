/**
 * A residual sum and the norm behind it in one operator. On a GPU each operator costs a launch, whatever it computes, and
 * onnxruntime does not fuse these for its WebGPU provider.
 *
 *     Add(a, b) ─┬─▶ SimplifiedLayerNormalization ─▶     SkipSimplifiedLayerNormalization(a, b) ─┬─▶ normed
 *                └─▶ the next residual sum                                                       └─▶ sum
 */
import type { OnnxNode } from '../onnx/onnx-types.ts';
import type { GraphEditor } from './graph-editor.ts';

/** Where the operator has the sum among its outputs; the two before it are for training. */
const SUM = 3;

/** @returns how many were fused */
export function fuseSkipNorms(editor: GraphEditor): number {
  const consumers = editor.allConsumers();
  let fused = 0;
  for (const norm of editor.nodesOf('SimplifiedLayerNormalization')) {
    const [sum = '', scale = ''] = norm.input ?? [];
    const add = editor.producer(sum);
    if (add?.opType !== 'Add' || !isLastAxis(norm) || !isPlain(editor, add)) continue;
    // Several norms of one sum: the second would make the sum again under the same name.
    const norms = (consumers.get(sum) ?? []).filter(({ opType }) => opType === norm.opType);
    if (norms.length !== 1) continue;
    const output = [norm.output?.[0] ?? '', '', ''];
    output[SUM] = sum;
    editor.remove(add);
    editor.remove(norm);
    editor.insertOf('com.microsoft', {
      opType: 'SkipSimplifiedLayerNormalization',
      name: `troupe/skip_${norm.name ?? sum}`,
      input: [...(add.input ?? []), scale],
      output,
      attribute: (norm.attribute ?? []).filter(({ name }) => name === 'epsilon'),
    });
    fused += 1;
  }
  return fused;
}

function isLastAxis({ attribute = [], output = [] }: OnnxNode): boolean {
  const axis = attribute.find(({ name }) => name === 'axis')?.i;
  return output.slice(1).every((name) => name === '') && (axis === undefined || Number(axis) === -1);
}

/** A bias is added by broadcasting, which the operator does not do. */
function isPlain(editor: GraphEditor, { input = [] }: OnnxNode): boolean {
  return input.length === 2 && input.every((name) => editor.constant(name) === undefined);
}
