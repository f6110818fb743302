/**
 * Logits of as many of the last positions as are asked for: of one, mostly. A prompt's other logits are never read, and at a
 * vocabulary of 50,000 they are the larger part of what a prefill would hand over. Exports with `num_logits_to_keep` have
 * this already; others get the input.
 */
import type { OnnxNode } from '../onnx/onnx-types.ts';
import type { GraphEditor } from './graph-editor.ts';
import { DYNAMIC_QUANTIZATION } from './row-quantization.ts';

const LOGITS_TO_KEEP = 'num_logits_to_keep';
const INT64 = 7;

/** Cuts the hidden states `[B, S, hidden]` before the head to their last rows, where the head is found. */
export function keepLastLogits(editor: GraphEditor): void {
  if ((editor.graph.input ?? []).some(({ name }) => name === LOGITS_TO_KEEP)) return;
  const head = headOf(editor);
  const hidden = head?.input?.[0];
  if (head?.input === undefined || hidden === undefined) return;
  editor.graph.input?.push({
    name: LOGITS_TO_KEEP,
    type: { tensorType: { elemType: INT64, shape: { dim: [] } } },
  });
  head.input[0] = editor.add('Slice', [
    hidden,
    editor.add('Reshape', [editor.add('Neg', [LOGITS_TO_KEEP]), editor.int64s([1])]),
    editor.int64s([Number.MAX_SAFE_INTEGER]),
    editor.int64s([1]),
  ]);
}

/** What reads the hidden states to make the logits, if that is a product with weights. */
export function headOf(editor: GraphEditor): OnnxNode | undefined {
  let node = editor.producer('logits');
  while (node?.opType === 'Cast') node = editor.producer(node.input?.[0] ?? '');
  if (node?.opType === 'Mul') return quantizedHead(editor, node);
  if (node?.opType !== 'MatMul' && node?.opType !== 'MatMulNBits') return undefined;
  return isWeight(editor, node.input?.[1] ?? '') ? node : undefined;
}

/** Of a product in 8 bits, which is scaled afterwards: what quantizes the hidden states, if for it alone. */
function quantizedHead(editor: GraphEditor, scaled: OnnxNode): OnnxNode | undefined {
  const cast = scaled.input?.map((name) => editor.producer(name)).find((one) => one?.opType === 'Cast');
  const product = editor.producer(cast?.input?.[0] ?? '');
  if (product?.opType !== 'MatMulInteger') return undefined;
  const [quantized = '', weights = ''] = product.input ?? [];
  const quantizer = editor.producer(quantized);
  if (quantizer?.opType !== DYNAMIC_QUANTIZATION || editor.consumers(quantized).length > 1) return undefined;
  return isWeight(editor, weights) ? quantizer : undefined;
}

/** A constant, or one that is turned over first: a head that shares its weights with the embedding. */
function isWeight(editor: GraphEditor, name: string): boolean {
  if (editor.constant(name) !== undefined) return true;
  const node = editor.producer(name);
  return node?.opType === 'Transpose' && editor.constant(node.input?.[0] ?? '') !== undefined;
}
