/**
 * `likeliest.ts` for a GPU, from which each output to the host takes as long as some thirty operators: all that is said of a
 * token is one output.
 *
 *     likeliest.all   float32 [B, S, 3]   the lowest token with the largest logit (`NO_TOKEN`: none), its logit, and the sum of
 *                                         all logits: NaN where one is NaN, which a maximum may overlook
 *
 * ArgMax would do it in one operator, which onnxruntime's provider runs on one thread a row.
 */
import type { OnnxTensor } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute, intsAttribute } from './graph-editor.ts';

/** Name of the output. */
export const LIKELIEST_ON_GPU = 'likeliest.all';

/** No logit was the largest: some were not finite. Up to here numbers of tokens are exact in float32. */
export const NO_TOKEN = 2 ** 24;

const FLOAT = 1;
const FLOAT16 = 10;
/** From here on ReduceSum takes its axes as an input. */
const REDUCE_SUM_13 = 13;
/** From here on ReduceMax and ReduceMin do. */
const REDUCE_BY_INPUT_18 = 18;

/**
 * Adds the output.
 * @param vocabulary for graphs that leave it open
 * @returns false where logits are not floats `[B, S, vocabulary]`
 */
export function addLikeliestOnGpu(editor: GraphEditor, vocabulary: number): boolean {
  const logits = (editor.graph.output ?? []).find(({ name }) => name === 'logits');
  const { elemType, shape } = logits?.type?.tensorType ?? {};
  if (elemType !== FLOAT && elemType !== FLOAT16) return false;
  if (editor.opset < REDUCE_SUM_13 || shape?.dim?.length !== 3) return false;
  const tokens = Number(shape.dim[2]?.dimValue ?? vocabulary);
  if (tokens > NO_TOKEN) return false;
  const wide =
    elemType === FLOAT
      ? 'logits'
      : editor.add('Cast', ['logits'], { attributes: [intAttribute('to', FLOAT)] });
  const largest = reduced(editor, 'ReduceMax', wide);
  const isLargest = editor.add('Equal', [wide, largest]);
  const numbered = editor.add('Where', [isLargest, editor.tensor(numbersTo(tokens)), editor.float(NO_TOKEN)]);
  const first = reduced(editor, 'ReduceMin', numbered);
  const sum = editor.add('ReduceSum', [wide, editor.int64s([-1])]);
  editor.add('Concat', [first, largest, sum], {
    output: LIKELIEST_ON_GPU,
    attributes: [intAttribute('axis', -1)],
  });
  const dim = [...shape.dim.slice(0, 2), { dimValue: 3 }];
  editor.graph.output?.push({
    name: LIKELIEST_ON_GPU,
    type: { tensorType: { elemType: FLOAT, shape: { dim } } },
  });
  return true;
}

function reduced(editor: GraphEditor, op: 'ReduceMax' | 'ReduceMin', of: string): string {
  if (editor.opset >= REDUCE_BY_INPUT_18) return editor.add(op, [of, editor.int64s([-1])]);
  return editor.add(op, [of], { attributes: [intsAttribute('axes', [-1])] });
}

/** 0, 1 … n − 1 */
function numbersTo(n: number): OnnxTensor {
  const values = Float32Array.from({ length: n }, (_, index) => index);
  return { dims: [n], dataType: FLOAT, rawData: new Uint8Array(values.buffer) };
}
