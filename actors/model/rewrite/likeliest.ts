/**
 * The likeliest token of each row, chosen inside the graph. At a vocabulary of 50,000 the logits of a step are 200 KB a
 * row, which nobody needs who takes the largest; fetching them is a copy, and the copies make V8 collect garbage, with
 * threads of its own, several times a second.
 *
 *     likeliest.token  int64 [B, S, 1]    the lowest of those with the largest logit
 *     likeliest.logit  [B, S, 1]          its logit
 *     likeliest.sum    [B, S, 1]          of all logits: NaN where one is NaN, which TopK may overlook
 */
import type { OnnxValueInfo } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute } from './graph-editor.ts';

/** Names of the outputs. */
export const LIKELIEST = {
  token: 'likeliest.token',
  logit: 'likeliest.logit',
  sum: 'likeliest.sum',
} as const;

const FLOAT = 1;
const INT64 = 7;
/** From here on ReduceSum takes its axes as an input. */
const REDUCE_SUM_13 = 13;

/** Adds the outputs; not where logits are not float32. */
export function addLikeliest(editor: GraphEditor): void {
  const logits = (editor.graph.output ?? []).find(({ name }) => name === 'logits');
  if (logits?.type?.tensorType?.elemType !== FLOAT || editor.opset < REDUCE_SUM_13) return;
  const { token, logit, sum } = LIKELIEST;
  const last = editor.int64s([-1]);
  editor.insert({
    opType: 'TopK',
    name: `troupe/${token}`,
    input: ['logits', editor.int64s([1])],
    output: [logit, token],
    attribute: [intAttribute('axis', -1)],
  });
  editor.add('ReduceSum', ['logits', last], { output: sum });
  editor.graph.output?.push(output(token, INT64), output(logit, FLOAT), output(sum, FLOAT));
}

function output(name: string, elemType: number): OnnxValueInfo {
  const dim = [{ dimParam: 'batch_size' }, { dimParam: 'logits_kept' }, { dimValue: 1 }];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
