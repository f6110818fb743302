/**
 * Products with weights in 4 bits as products in 8, which take less than half the time where there are many rows: of
 * activations that are quantized row by row (`row-quantization.ts`) with weights that are rounded once more
 * (`eight-bit-weights.ts`).
 *
 *     MatMulNBits(x, W)   →   MatMulIntegerToFloat(quantized x, W') · largest of each row
 *
 * A product of bytes is exact, so that a row's result does not depend on the others of its run. The head stays as it is: it
 * has one row in a run.
 */
import type { OnnxNode, OnnxTensor } from '../onnx/onnx-types.ts';
import type { TensorReader } from '../onnx/tensor-reader.ts';
import { type BlockWeights, eightBitWeights } from './eight-bit-weights.ts';
import type { GraphEditor } from './graph-editor.ts';
import { headOf } from './last-logits.ts';
import { multiplyBytes, type QuantizedRows, quantizeRows } from './row-quantization.ts';
import type { WeightsFile } from './weights-file.ts';

const FLOAT = 1;
const UINT8 = 2;
const INT8 = 3;
const LAST_AXIS = [-1];

export interface EightBitFiles {
  /** Reads the weights of the graph. */
  readonly source: TensorReader;
  /** Takes those that are made. */
  readonly target: WeightsFile;
}

/** @returns how many products are in 8 bits now */
export function multiplyInEightBits(editor: GraphEditor, files: EightBitFiles): number {
  const head = headOf(editor);
  const quantized = new Map<string, QuantizedRows>();
  let count = 0;
  for (const node of editor.nodesOf('MatMulNBits')) {
    const [x = '', , , , , bias = ''] = node.input ?? [];
    const weights = node === head ? undefined : weightsOf(editor, node, files.source);
    const made = weights && eightBitWeights(weights);
    if (weights === undefined || made === undefined) continue;
    const { rows, columns } = weights;
    const levels = editor.tensor({
      dims: [rows, columns],
      dataType: INT8,
      ...files.target.append(new Uint8Array(made.levels.buffer)),
    });
    const scales = editor.tensor({
      dims: [columns],
      dataType: FLOAT,
      rawData: new Uint8Array(made.scales.buffer),
    });
    const known = quantized.get(x) ?? quantizeRows(editor, x, LAST_AXIS);
    quantized.set(x, known);
    const [output = ''] = node.output ?? [];
    editor.remove(node);
    if (bias === '') multiplyBytes(editor, known, { levels, scales }, output);
    else editor.add('Add', [multiplyBytes(editor, known, { levels, scales }), bias], { output });
    count += 1;
  }
  return count;
}

/** Of a product as exporters write it; undefined where it is another, which then stays. */
function weightsOf(editor: GraphEditor, node: OnnxNode, source: TensorReader): BlockWeights | undefined {
  const [, levels, scales, zeros = '', order = ''] = node.input ?? [];
  const [rows, columns, block] = ['K', 'N', 'block_size'].map((name) => intOf(node, name, 0));
  const packed = editor.constant(levels ?? '');
  const scale = floatConstant(editor, scales ?? '');
  if (intOf(node, 'bits', 4) !== 4 || order !== '' || !rows || !columns || !block) return undefined;
  if (packed?.dataType !== UINT8 || scale === undefined) return undefined;
  const blocks = Math.ceil(rows / block);
  const bytes = source.bytes(packed);
  const values = source.floats(scale);
  if (bytes.length !== (columns * blocks * block) / 2 || values.length !== columns * blocks) return undefined;
  const zeroOf = zeros === '' ? undefined : zerosOf(editor, zeros, columns, blocks, source);
  if (zeros !== '' && zeroOf === undefined) return undefined;
  return { levels: bytes, scales: values, zeros: zeroOf, rows, columns, block };
}

/** In 4 bits, each column beginning with a byte, or as numbers like the scales. */
function zerosOf(
  editor: GraphEditor,
  name: string,
  columns: number,
  blocks: number,
  source: TensorReader,
): BlockWeights['zeros'] {
  const packed = editor.constant(name);
  if (packed?.dataType === UINT8) {
    const width = Math.ceil(blocks / 2);
    const bytes = source.bytes(packed);
    if (bytes.length !== columns * width) return undefined;
    return (n, b) => {
      const pair = bytes[n * width + (b >> 1)] ?? 0;
      return b & 1 ? pair >> 4 : pair & 15;
    };
  }
  const numbers = floatConstant(editor, name);
  if (numbers === undefined) return undefined;
  const values = source.floats(numbers);
  return values.length === columns * blocks ? (n, b) => values[n * blocks + b] ?? 0 : undefined;
}

/** A constant of float32, or one of 16 bits that is turned into such. */
function floatConstant(editor: GraphEditor, name: string): OnnxTensor | undefined {
  const known = editor.constant(name);
  if (known !== undefined) return known.dataType === FLOAT ? known : undefined;
  const cast = editor.producer(name);
  if (cast?.opType !== 'Cast' || intOf(cast, 'to', 0) !== FLOAT) return undefined;
  return editor.constant(cast.input?.[0] ?? '');
}

function intOf({ attribute = [] }: OnnxNode, name: string, otherwise: number): number {
  return Number(attribute.find((one) => one.name === name)?.i ?? otherwise);
}
