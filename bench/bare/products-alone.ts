/**
 * The products of a decoder's graph with its weights, and nothing else, each of numbers of its own: what is left of a step when
 * all that is around them takes no time. They are the kernels, the shapes and the weights of the graph itself.
 */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Tensor } from '../../actors/inference/onnxruntime.ts';
import { decodeModel, encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel, OnnxNode, OnnxValueInfo } from '../../actors/model/onnx/onnx-types.ts';
import { GraphEditor } from '../../actors/model/rewrite/graph-editor.ts';
import { type BareGraph, openBareSession } from './bare-session.ts';

const FLOAT = 1;
const UINT8 = 2;
const PRODUCTS = new Set(['MatMul', 'MatMulNBits', 'MatMulInteger', 'MatMulIntegerToFloat']);

export interface BareStep {
  /** Products, or layers, that one run has. */
  readonly count: number;
  run(): Promise<unknown>;
  release(): Promise<void>;
}

/** @returns a run of all products with one row */
export async function openProductsAlone(graph: BareGraph, threads: number): Promise<BareStep> {
  const { path, externalDataFolder = dirname(path) } = graph;
  const model = decodeModel(await readFile(path));
  const count = keepProducts(model);
  const session = await openBareSession({ path, externalDataFolder, made: encodeModel(model) }, threads);
  const feeds: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor) continue;
    const width = Number(input.shape[1]);
    feeds[input.name] =
      input.type === 'uint8'
        ? new Tensor(
            'uint8',
            Uint8Array.from({ length: width }, (_, at) => at % 256),
            [1, width],
          )
        : new Tensor(
            'float32',
            Float32Array.from({ length: width }, (_, at) => Math.sin(at)),
            [1, width],
          );
  }
  // All of them run, whatever is fetched.
  const last = session.outputNames.slice(-1);
  return { count, run: () => session.run(feeds, last), release: () => session.release() };
}

/** Changes `model` in place. @returns how many products it has */
export function keepProducts(model: OnnxModel): number {
  const editor = new GraphEditor(model);
  const inputs = new Map<string, OnnxValueInfo>();
  const products = (editor.graph.node ?? []).filter((node) => isProduct(editor, node));
  for (const product of products) {
    const width = Number(widthOf(editor, product));
    const type = product.opType?.startsWith('MatMulInteger') ? UINT8 : FLOAT;
    const name = `x.${type}.${width}`;
    inputs.set(name, valueInfo(name, type, [1, width]));
    product.input?.splice(0, 1, name);
  }
  editor.graph.input = [...inputs.values()];
  editor.graph.output = products.map(({ opType, output = [] }) => ({
    name: output[0] ?? '',
    type: { tensorType: { elemType: opType === 'MatMulInteger' ? INT32 : FLOAT } },
  }));
  editor.finish();
  return products.length;
}

const INT32 = 6;

function isProduct(editor: GraphEditor, { opType = '', input = [] }: OnnxNode): boolean {
  const [first = '', ...others] = input;
  return (
    PRODUCTS.has(opType) &&
    !isConstant(editor, first) &&
    others.every((name) => name === '' || isConstant(editor, name))
  );
}

/** As they are, or what onnxruntime makes of them when it loads the graph. */
function isConstant(editor: GraphEditor, name: string): boolean {
  if (editor.constant(name) !== undefined) return true;
  const { input } = editor.producer(name) ?? {};
  return input !== undefined && input.length > 0 && input.every((one) => isConstant(editor, one));
}

/** Numbers of a row that is multiplied. */
function widthOf(editor: GraphEditor, { attribute = [], input = [] }: OnnxNode) {
  const inputs = attribute.find(({ name }) => name === 'K')?.i;
  if (inputs !== undefined) return inputs;
  let weights = input[1] ?? '';
  while (editor.constant(weights) === undefined) weights = editor.producer(weights)?.input?.[0] ?? '';
  return editor.constant(weights)?.dims?.[0];
}

function valueInfo(name: string, elemType: number, dims: readonly number[]): OnnxValueInfo {
  return { name, type: { tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } } };
}
