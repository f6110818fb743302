/**
 * Products of activations in 8 bits, with a scale of its own for each row. Exports with dynamic quantization (`_int8`,
 * `_uint8`, `_quantized`) take one scale for a whole tensor, so that what a request gets depends on who else is in its
 * run, and the first tokens of a prompt on the last ones:
 *
 *     DynamicQuantizeLinear   scale = (max x − min x) / 255, over everything
 *     here                    scale = max |x| / 127, over the row that is multiplied; zero point 128
 *
 * A product of bytes is exact, so a row's result is then the same, bit for bit, alone, in a batch and in any part of a
 * prompt. It is also nearer to that without quantization, since a row is not rounded as coarsely as the largest one needs.
 * One scale for each token is what vLLM and TensorRT-LLM call dynamic per-token quantization.
 */
import { z } from 'zod';
import type { OnnxNode } from '../onnx/onnx-types.ts';
import { type GraphEditor, intsAttribute } from './graph-editor.ts';

const MICROSOFT = 'com.microsoft';
/** From here on ReduceMax takes its axes as an input. */
const REDUCE_MAX_18 = 18;
const LEVELS = 127;
const ZERO_POINT = 128;

/** The operator that exports quantize activations with. */
export const DYNAMIC_QUANTIZATION = 'DynamicQuantizeLinear';

/** What became of the quantized tensors of a graph. */
export const rowQuantizationSchema = z.strictObject({
  /** Now with a scale for each row. */
  byRow: z.number(),
  /** Left with one for the whole tensor: used by something else than products with weights. */
  perTensor: z.number(),
});

export type RowQuantization = z.infer<typeof rowQuantizationSchema>;

/** Changes every quantized input of which all users are products with constant weights. */
export function quantizeByRow(editor: GraphEditor): RowQuantization {
  const quantizers = editor.nodesOf(DYNAMIC_QUANTIZATION);
  const users = editor.allConsumers();
  const usersOf = (name: string): readonly OnnxNode[] => users.get(name) ?? [];
  const rows = quantizers.filter((node) => {
    const axes = rowAxes(editor, node, usersOf);
    if (axes !== undefined) replace(editor, node, axes, usersOf);
    return axes !== undefined;
  });
  return { byRow: rows.length, perTensor: quantizers.length - rows.length };
}

type UsersOf = (name: string) => readonly OnnxNode[];

/** What a row is to the users of a quantized tensor: its axes; undefined where it cannot have a scale of its own. */
function rowAxes(editor: GraphEditor, { output = [] }: OnnxNode, usersOf: UsersOf): number[] | undefined {
  const [quantized = '', scale = '', zeroPoint = ''] = output;
  if ((editor.graph.output ?? []).some(({ name = '' }) => output.includes(name))) return undefined;
  const products = usersOf(quantized);
  const weighted = products.every(({ input: [a, b = '', zero] = [] }) => {
    return a === quantized && zero === zeroPoint && editor.constant(b) !== undefined;
  });
  const scaled = usersOf(scale).every(({ opType }) => opType === 'Mul');
  const own = usersOf(zeroPoint).every((user) => products.includes(user));
  if (!weighted || !scaled || !own) return undefined;
  if (products.every(({ opType }) => opType === 'MatMulInteger')) return [-1];
  if (!products.every(({ opType }) => opType === 'ConvInteger')) return undefined;
  const ranks = products.map(({ input = [] }) => editor.constant(input[1] ?? '')?.dims?.length ?? 0);
  return Array.from({ length: Math.max(...ranks) - 1 }, (_, axis) => axis + 1);
}

function replace(editor: GraphEditor, node: OnnxNode, axes: number[], usersOf: UsersOf): void {
  const [x = ''] = node.input ?? [];
  const [quantized = '', scale = ''] = node.output ?? [];
  editor.remove(node);
  const largest = reduceMax(editor, editor.add('Abs', [x]), axes);
  const level = editor.float(1 / LEVELS);
  const zero = editor.uint8(ZERO_POINT);
  // In a row of zeros this is NaN, and whatever bytes that gives: the product is multiplied by its largest, 0.
  const share = editor.add('Div', [x, largest]);
  editor.add('QuantizeLinear', [share, level, zero], { output: quantized });
  // Dropped where nobody needs it.
  editor.add('Mul', [largest, level], { output: scale });
  const row: QuantizedRow = { scale, largest, level };
  for (const product of usersOf(quantized)) {
    product.input?.splice(2, 1, zero);
    fuse(editor, product, row, usersOf);
  }
}

/** Names of values: `scale` is `largest · level`. */
interface QuantizedRow {
  readonly scale: string;
  readonly largest: string;
  readonly level: string;
}

/**
 * Product, cast and scales in one operator where they stand as exporters write them; onnxruntime's own fusion wants one
 * scale for the whole tensor.
 */
function fuse(editor: GraphEditor, product: OnnxNode, row: QuantizedRow, usersOf: UsersOf): void {
  const { scale, largest, level } = row;
  const found = product.opType === 'MatMulInteger' ? findScaling(editor, product, scale, usersOf) : undefined;
  if (found === undefined) return;
  const [quantized = '', weights = '', zero = '', weightZero = ''] = product.input ?? [];
  const input = [quantized, weights, level, found.weightScale, zero, weightZero];
  const raw = editor.add('MatMulIntegerToFloat', input, { domain: MICROSOFT });
  editor.remove(found.last);
  editor.add('Mul', [raw, largest], { output: found.last.output?.[0] ?? '' });
}

interface Scaling {
  /** The node that makes the scaled product. */
  readonly last: OnnxNode;
  readonly weightScale: string;
}

/** `cast · (scale · weightScale)`, or `(cast · scale) · weightScale`, with nobody else reading what is in between. */
function findScaling(
  editor: GraphEditor,
  product: OnnxNode,
  scale: string,
  usersOf: UsersOf,
): Scaling | undefined {
  const only = (name: string, opType: string): OnnxNode | undefined => {
    const [user, ...others] = usersOf(name);
    return others.length === 0 && user?.opType === opType ? user : undefined;
  };
  const cast = only(product.output?.[0] ?? '', 'Cast');
  const float = cast?.output?.[0] ?? '';
  const mul = only(float, 'Mul');
  if (mul === undefined) return undefined;
  const factor = otherInput(mul, float);
  if (factor === scale) {
    const scaled = mul.output?.[0] ?? '';
    const last = only(scaled, 'Mul');
    return last && constantScale(editor, last, otherInput(last, scaled));
  }
  const scales = editor.producer(factor);
  if (scales?.opType !== 'Mul' || scales.input?.includes(scale) !== true) return undefined;
  return constantScale(editor, mul, otherInput(scales, scale));
}

function constantScale(editor: GraphEditor, last: OnnxNode, weightScale: string): Scaling | undefined {
  return editor.constant(weightScale) === undefined ? undefined : { last, weightScale };
}

function otherInput({ input = [] }: OnnxNode, name: string): string {
  return input.find((one) => one !== name) ?? '';
}

function reduceMax(editor: GraphEditor, x: string, axes: readonly number[]): string {
  if (editor.opset >= REDUCE_MAX_18) return editor.add('ReduceMax', [x, editor.int64s(axes)]);
  return editor.add('ReduceMax', [x], { attributes: [intsAttribute('axes', axes)] });
}
