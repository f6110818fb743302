/**
 * Attention of one new token over a past, without all that is around it: in each layer the product with the keys, the softmax and
 * the product with the values, as the rewritten graph has them (`actors/model/rewrite/step-attention.ts`).
 */
import { Tensor } from '../../actors/inference/onnxruntime.ts';
import type { ModelGeometry } from '../../actors/model/geometry.ts';
import { encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel, OnnxValueInfo } from '../../actors/model/onnx/onnx-types.ts';
import { GraphEditor, intAttribute } from '../../actors/model/rewrite/graph-editor.ts';
import { openBareSession } from './bare-session.ts';
import type { BareStep } from './products-alone.ts';

const FLOAT = 1;
const OPSET = 17;

type Geometry = Pick<ModelGeometry, 'layers' | 'heads' | 'kvHeads' | 'headDim'>;

/** @param tokens of the past */
export async function openPastAlone(
  { layers, heads, kvHeads, headDim }: Geometry,
  tokens: number,
  threads: number,
): Promise<BareStep> {
  const model: OnnxModel = {
    irVersion: 8,
    opsetImport: [{ domain: '', version: OPSET }],
    graph: { name: 'past', input: [], output: [], node: [], initializer: [] },
  };
  const editor = new GraphEditor(model);
  const queries = [1, kvHeads, heads / kvHeads, 1, headDim];
  const past = [1, kvHeads, 1, tokens, headDim];
  const inputs: Record<string, number[]> = { queries };
  let last = '';
  for (let layer = 0; layer < layers; layer++) {
    const [key, value] = [`${layer}.key`, `${layer}.value`];
    inputs[key] = past;
    inputs[value] = past;
    const scores = editor.add('FusedMatMul', ['queries', key], {
      attributes: [intAttribute('transB', 1)],
      domain: 'com.microsoft',
    });
    const weights = editor.add('Softmax', [scores], { attributes: [intAttribute('axis', 4)] });
    last = editor.add('MatMul', [weights, value]);
    editor.graph.output?.push(valueInfo(last, queries));
  }
  editor.graph.input = Object.entries(inputs).map(([name, dims]) => valueInfo(name, dims));
  editor.finish();
  const session = await openBareSession({ path: '', made: encodeModel(model) }, threads);
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, dims]) => {
      const size = dims.reduce((product, dim) => product * dim, 1);
      return [
        name,
        new Tensor(
          'float32',
          Float32Array.from({ length: size }, (_, at) => Math.sin(at)),
          dims,
        ),
      ];
    }),
  );
  return { count: layers, run: () => session.run(feeds, [last]), release: () => session.release() };
}

function valueInfo(name: string, dims: readonly number[]): OnnxValueInfo {
  return {
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  };
}
