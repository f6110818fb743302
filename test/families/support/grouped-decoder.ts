/**
 * A decoder of the project's exporter with its products over Concat replaced by com.microsoft.GroupQueryAttention: what exports for
 * that operator are like, sliding windows as its `local_window_size`.
 */

import { ATTRIBUTE_TYPE, type OnnxModel } from '../../../actors/model/onnx/onnx-types.ts';
import { GraphEditor, intAttribute } from '../../../actors/model/rewrite/graph-editor.ts';

export interface GroupedShape {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** What queries are multiplied by. */
  readonly scale: number;
  /** Tokens that one sees where the bias of a layer is that of a window. */
  readonly window: number;
}

const INT32 = 6;

/** Changes `model` in place. */
export function groupAttention(
  model: OnnxModel,
  { layers, heads, kvHeads, scale, window }: GroupedShape,
): void {
  const editor = new GraphEditor(model);
  const mask = 'attention_mask';
  const sums = editor.add('ReduceSum', [mask, editor.int64s([1])], {
    attributes: [intAttribute('keepdims', 0)],
  });
  const int32 = { attributes: [intAttribute('to', INT32)] };
  const last = editor.add('Cast', [editor.add('Sub', [sums, editor.int64s(1)])], int32);
  const width = editor.add('Gather', [editor.add('Shape', [mask]), editor.int64s(1)]);
  const total = editor.add('Cast', [width], int32);
  /** The first input of the node that makes a value. */
  const before = (name: string): string => editor.producer(name)?.input?.[0] ?? '';
  for (let layer = 0; layer < layers; layer++) {
    const at = `t${layer}_attended`;
    const bias = editor.producer(`${at}_biased`)?.input?.[1];
    const qkv = ['q_scaled', 'k_split', 'v_split'].map((name) => before(`${at}_${name}`));
    const past = ['key', 'value'].map((kind) => `past_key_values.${layer}.${kind}`);
    const outputs = [at, `present.${layer}.key`, `present.${layer}.value`];
    for (const name of outputs) {
      const node = editor.producer(name);
      if (node !== undefined) editor.remove(node);
    }
    editor.insert({
      opType: 'GroupQueryAttention',
      domain: 'com.microsoft',
      name: at,
      input: [...qkv, ...past, last, total],
      output: outputs,
      attribute: [
        intAttribute('num_heads', heads),
        intAttribute('kv_num_heads', kvHeads),
        { name: 'scale', type: ATTRIBUTE_TYPE.float, f: scale },
        ...(bias === 'bias_window' ? [intAttribute('local_window_size', window)] : []),
      ],
    });
  }
  editor.finish();
  rename(model);
}

/** The rewriter names what it adds in the same way. */
function rename({ graph }: OnnxModel): void {
  const renamed = (name = ''): string => name.replace(/^troupe\//, 'grouped/');
  for (const node of graph?.node ?? []) {
    node.input = node.input?.map(renamed) ?? [];
    node.output = node.output?.map(renamed) ?? [];
  }
  for (const tensor of graph?.initializer ?? []) tensor.name = renamed(tensor.name);
}
