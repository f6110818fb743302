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
import type { GraphSignature } from '../onnx/graph-signature.ts';
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

/** Whether a graph quantizes activations while it runs. */
export function quantizesAsItRuns({ opTypes }: Pick<GraphSignature, 'opTypes'>): boolean {
  return opTypes.includes(DYNAMIC_QUANTIZATION);
}

/** Changes every quantized input of which all users are products with constant weights. */
export function quantizeByRow(editor: GraphEditor): RowQuantization {
  const quantizers = editor.nodesOf(DYNAMIC_QUANTIZATION);
  const rewriting = new RowRewriting(editor);
  const byRow = quantizers.filter((node) => rewriting.replace(node)).length;
  return { byRow, perTensor: quantizers.length - byRow };
}

/** Names of values: numbers in 8 bits, of which each stands for `(byte − zero) · level · largest`. */
export interface QuantizedRows {
  readonly quantized: string;
  /** Of each row the largest magnitude. */
  readonly largest: string;
  readonly level: string;
  readonly zero: string;
}

/** Names of constant weights in 8 bits. */
export interface ByteWeights {
  /** `[rows, columns]` */
  readonly levels: string;
  /** One, or one for each column. */
  readonly scales: string;
  /** Default: 0. */
  readonly zero?: string;
}

/** Adds the nodes. @param axes that a row consists of @param output name of the bytes; default: a fresh one */
export function quantizeRows(
  editor: GraphEditor,
  x: string,
  axes: readonly number[],
  output?: string,
): QuantizedRows {
  const largest = reduceMax(editor, editor.add('Abs', [x]), axes);
  const level = editor.float(1 / LEVELS);
  const zero = editor.uint8(ZERO_POINT);
  // In a row of zeros this is NaN, and whatever bytes that gives: the product is multiplied by its largest, 0.
  const share = editor.add('Div', [x, largest]);
  const named = output === undefined ? {} : { output };
  return { quantized: editor.add('QuantizeLinear', [share, level, zero], named), largest, level, zero };
}

/** Adds a product of rows with weights. @param output name of the result; default: a fresh one, which is returned */
export function multiplyBytes(
  editor: GraphEditor,
  rows: QuantizedRows,
  { levels, scales, zero = '' }: ByteWeights,
  output?: string,
): string {
  const input = [rows.quantized, levels, rows.level, scales, rows.zero, zero];
  const raw = editor.add('MatMulIntegerToFloat', input, { domain: MICROSOFT });
  return editor.add('Mul', [raw, rows.largest], output === undefined ? {} : { output });
}

function reduceMax(editor: GraphEditor, x: string, axes: readonly number[]): string {
  if (editor.opset >= REDUCE_MAX_18) return editor.add('ReduceMax', [x, editor.int64s(axes)]);
  return editor.add('ReduceMax', [x], { attributes: [intsAttribute('axes', axes)] });
}

interface Scaling {
  /** The node that makes the scaled product. */
  readonly last: OnnxNode;
  readonly weightScale: string;
}

class RowRewriting {
  readonly #editor: GraphEditor;
  /** As the export has them. */
  readonly #users: ReadonlyMap<string, readonly OnnxNode[]>;

  constructor(editor: GraphEditor) {
    this.#editor = editor;
    this.#users = editor.allConsumers();
  }

  /** False where there cannot be a scale for each row: the node then stays. */
  replace(node: OnnxNode): boolean {
    const axes = this.#rowAxes(node);
    if (axes === undefined) return false;
    const editor = this.#editor;
    const [x = ''] = node.input ?? [];
    const [quantized = '', scale = ''] = node.output ?? [];
    editor.remove(node);
    const rows = quantizeRows(editor, x, axes, quantized);
    // Dropped where nobody needs it.
    editor.add('Mul', [rows.largest, rows.level], { output: scale });
    for (const product of this.#usersOf(quantized)) {
      product.input?.splice(2, 1, rows.zero);
      this.#fuse(product, scale, rows);
    }
    return true;
  }

  /** What a row is to the users of a quantized tensor: its axes; undefined where it cannot have a scale of its own. */
  #rowAxes({ output = [] }: OnnxNode): number[] | undefined {
    const editor = this.#editor;
    const [quantized = '', scale = '', zeroPoint = ''] = output;
    if ((editor.graph.output ?? []).some(({ name = '' }) => output.includes(name))) return undefined;
    const products = this.#usersOf(quantized);
    const weighted = products.every(({ input: [a, b = '', zero] = [] }) => {
      return a === quantized && zero === zeroPoint && editor.constant(b) !== undefined;
    });
    const scaled = this.#usersOf(scale).every(({ opType }) => opType === 'Mul');
    const own = this.#usersOf(zeroPoint).every((user) => products.includes(user));
    if (!weighted || !scaled || !own) return undefined;
    if (products.every(({ opType }) => opType === 'MatMulInteger')) return [-1];
    if (!products.every(({ opType }) => opType === 'ConvInteger')) return undefined;
    const ranks = products.map(({ input = [] }) => editor.constant(input[1] ?? '')?.dims?.length ?? 0);
    return Array.from({ length: Math.max(...ranks) - 1 }, (_, axis) => axis + 1);
  }

  /**
   * Product, cast and scales in one operator where they stand as exporters write them; onnxruntime's own fusion wants one
   * scale for the whole tensor.
   */
  #fuse(product: OnnxNode, scale: string, rows: QuantizedRows): void {
    const editor = this.#editor;
    const found = product.opType === 'MatMulInteger' ? this.#findScaling(product, scale) : undefined;
    if (found === undefined) return;
    const [, levels = '', , zero = ''] = product.input ?? [];
    editor.remove(found.last);
    const weights = { levels, scales: found.weightScale, zero };
    multiplyBytes(editor, rows, weights, found.last.output?.[0] ?? '');
  }

  /** `cast · (scale · weightScale)`, or `(cast · scale) · weightScale`, with nobody else reading what is in between. */
  #findScaling(product: OnnxNode, scale: string): Scaling | undefined {
    const cast = this.#onlyUser(product.output?.[0] ?? '', 'Cast');
    const float = cast?.output?.[0] ?? '';
    const mul = this.#onlyUser(float, 'Mul');
    if (mul === undefined) return undefined;
    const factor = otherInput(mul, float);
    if (factor === scale) {
      const scaled = mul.output?.[0] ?? '';
      const last = this.#onlyUser(scaled, 'Mul');
      return last && this.#constantScale(last, otherInput(last, scaled));
    }
    const scales = this.#editor.producer(factor);
    if (scales?.opType !== 'Mul' || scales.input?.includes(scale) !== true) return undefined;
    return this.#constantScale(mul, otherInput(scales, scale));
  }

  #constantScale(last: OnnxNode, weightScale: string): Scaling | undefined {
    return this.#editor.constant(weightScale) === undefined ? undefined : { last, weightScale };
  }

  #usersOf(name: string): readonly OnnxNode[] {
    return this.#users.get(name) ?? [];
  }

  #onlyUser(name: string, opType: string): OnnxNode | undefined {
    const [user, ...others] = this.#usersOf(name);
    return others.length === 0 && user?.opType === opType ? user : undefined;
  }
}

function otherInput({ input = [] }: OnnxNode, name: string): string {
  return input.find((one) => one !== name) ?? '';
}
