/**
 * A graph in float16 as the Hub's `*_fp16.onnx` are: weights, keys and values, and everything between in 16 bits; other
 * inputs and outputs stay in 32.
 */
import type { OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo } from '../../actors/model/onnx/onnx-types.ts';
import { intAttribute, node, TYPE } from '../../test/fixtures/graphs/graph-builder.ts';
import { toHalves } from './half.ts';

/** Keys and values: fed back as they come. */
const CACHE = /^(past_key_values|present)\./;

/**
 * For graphs whose tensors are initializers with their values in the file, as the embedded model's are: float32, or
 * float16 that a node casts.
 *
 * @returns another model; the given one is as before
 * @throws Error for a graph that has other casts to float32, or float32 constants elsewhere
 */
export function halfModel(model: OnnxModel): OnnxModel {
  const { graph } = model;
  if (graph === undefined) throw new Error('the model has no graph');
  const weights = new Set((graph.initializer ?? []).map(({ name = '' }) => name));
  // Weights that are kept in 16 bits and cast: they are used as they are kept.
  const casts = (graph.node ?? []).filter((one) => widens(one) && weights.has(one.input?.[0] ?? ''));
  const nodes = (graph.node ?? []).filter((one) => !casts.includes(one));
  checkNodes(nodes);
  const inputs = (graph.input ?? []).filter(staysWide);
  const outputs = (graph.output ?? []).filter(staysWide);
  const renamed = new Map([
    ...[...inputs, ...outputs].map(({ name = '' }) => [name, `${name}_half`] as const),
    ...casts.map(({ input, output }) => [output?.[0] ?? '', input?.[0] ?? ''] as const),
  ]);
  const half = (names: readonly string[] = []) => names.map((name) => renamed.get(name) ?? name);
  return {
    ...model,
    graph: {
      ...graph,
      initializer: (graph.initializer ?? []).map(halfTensor),
      input: (graph.input ?? []).map(halfCache),
      output: (graph.output ?? []).map(halfCache),
      node: [
        ...inputs.map(({ name = '' }) => castTo('float16', name, `${name}_half`)),
        ...nodes.map((one) => ({
          ...one,
          input: half(one.input),
          output: half(one.output),
        })),
        ...outputs.map(({ name = '' }) => castTo('float32', `${name}_half`, name)),
      ],
    },
  };
}

function widens({ opType, attribute = [] }: OnnxNode): boolean {
  return opType === 'Cast' && attribute.some(({ name, i }) => name === 'to' && Number(i) === TYPE.float32);
}

function checkNodes(nodes: readonly OnnxNode[]): void {
  for (const one of nodes) {
    const { opType, attribute = [] } = one;
    for (const { name, t, g } of attribute) {
      if (widens(one) || t?.dataType === TYPE.float32 || g !== undefined) {
        throw new Error(`${opType} (${name}) cannot be turned to float16 here`);
      }
    }
  }
}

function isFloat({ type }: OnnxValueInfo): boolean {
  return type?.tensorType?.elemType === TYPE.float32;
}

function staysWide(value: OnnxValueInfo): boolean {
  return isFloat(value) && !CACHE.test(value.name ?? '');
}

function halfCache(value: OnnxValueInfo): OnnxValueInfo {
  if (!isFloat(value) || staysWide(value)) return value;
  return { ...value, type: { tensorType: { ...value.type?.tensorType, elemType: TYPE.float16 } } };
}

function halfTensor(tensor: OnnxTensor): OnnxTensor {
  if (tensor.dataType !== TYPE.float32) return tensor;
  const { rawData } = tensor;
  if (rawData === undefined) throw new Error(`${tensor.name} has no values in the file`);
  // A copy: where the values begin in the file need not be a multiple of four bytes.
  const values = new Float32Array(Uint8Array.from(rawData).buffer);
  return { ...tensor, dataType: TYPE.float16, rawData: new Uint8Array(toHalves(values).buffer) };
}

function castTo(type: 'float16' | 'float32', from: string, to: string) {
  return node('Cast', [from], [to], [intAttribute('to', TYPE[type])]);
}
