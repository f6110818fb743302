/**
 * What can be read off an ONNX file without running it: its inputs and outputs, the operators it uses, where its
 * weights are. Plain data; reading a large file takes a while, so callers do it off the main thread.
 */
import { readFile } from 'node:fs/promises';
import { ModelError } from '../../errors.ts';
import { elementBytes, elementTypeName } from './element-types.ts';
import { decodeModel } from './onnx-proto.ts';
import {
  DATA_LOCATION_EXTERNAL,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from './onnx-types.ts';

/** An input or output of a graph. */
export interface TensorSignature {
  /** As the graph calls it. */
  readonly name: string;
  /** 'float32', 'int64'…; '' for a value that is no tensor. */
  readonly type: string;
  /** A number where the graph fixes the size, the symbol's name (or '') where it is free. */
  readonly dims: readonly (number | string)[];
}

export interface ExternalData {
  /** As written in the graph, relative to the graph's folder. */
  readonly location: string;
  /** Bytes that the file must have at least. */
  readonly byteLength: number;
}

export interface GraphSignature {
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  /** Operators in use, sorted; those outside the standard set as `domain.Name` (`com.microsoft.MatMulNBits`). */
  readonly opTypes: readonly string[];
  readonly externalData: readonly ExternalData[];
  /** Bytes of weights by element type, external ones included. */
  readonly initializerBytes: Readonly<Record<string, number>>;
}

/** Reads one `.onnx` file. @throws ModelError MODEL_FILE_MISSING, MODEL_FILE_CORRUPT */
export async function readGraphSignature(path: string): Promise<GraphSignature> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ModelError('MODEL_FILE_MISSING', 'The graph cannot be read', { path, remedy: REMEDY }, cause);
  }
  try {
    return graphSignature(decodeModel(bytes));
  } catch (cause) {
    throw new ModelError('MODEL_FILE_CORRUPT', 'The file is no ONNX graph', { path, remedy: REMEDY }, cause);
  }
}

const REMEDY = 'Download the model again.';

/** @throws Error when the model lacks what every graph has. */
export function graphSignature(model: OnnxModel): GraphSignature {
  const graph = model.graph;
  if (graph?.output === undefined || model.opsetImport === undefined) {
    throw new Error('the file has no graph, or a graph without outputs or operator sets');
  }
  const initializerNames = new Set(graph.initializer?.map((tensor) => tensor.name));
  const opTypes = new Set<string>();
  const tensors: OnnxTensor[] = [];
  visitGraph(graph, opTypes, tensors);
  for (const one of model.functions ?? []) visitNodes(one.node ?? [], opTypes, tensors);
  return {
    // Old exports list weights among the inputs; a caller has nothing to feed there.
    inputs: (graph.input ?? []).filter((input) => !initializerNames.has(input.name)).map(tensorSignature),
    outputs: graph.output.map(tensorSignature),
    opTypes: [...opTypes].sort(),
    externalData: externalData(tensors),
    initializerBytes: bytesByType(tensors),
  };
}

function visitGraph(graph: OnnxGraph, opTypes: Set<string>, tensors: OnnxTensor[]): void {
  for (const tensor of graph.initializer ?? []) tensors.push(tensor);
  for (const sparse of graph.sparseInitializer ?? []) {
    for (const tensor of [sparse.values, sparse.indices]) if (tensor !== undefined) tensors.push(tensor);
  }
  visitNodes(graph.node ?? [], opTypes, tensors);
}

/** Nodes hold weights (Constant) and whole graphs (If, Loop) in their attributes. */
function visitNodes(nodes: readonly OnnxNode[], opTypes: Set<string>, tensors: OnnxTensor[]): void {
  for (const node of nodes) {
    const standard = node.domain === undefined || node.domain === '' || node.domain === 'ai.onnx';
    opTypes.add(standard ? (node.opType ?? '') : `${node.domain}.${node.opType}`);
    for (const attribute of node.attribute ?? []) {
      if (attribute.t !== undefined) tensors.push(attribute.t);
      tensors.push(...(attribute.tensors ?? []));
      if (attribute.g !== undefined) visitGraph(attribute.g, opTypes, tensors);
      for (const graph of attribute.graphs ?? []) visitGraph(graph, opTypes, tensors);
    }
  }
}

function tensorSignature(value: OnnxValueInfo): TensorSignature {
  const type = value.type?.tensorType;
  return {
    name: value.name ?? '',
    type: type === undefined ? '' : elementTypeName(type.elemType ?? 0),
    dims: (type?.shape?.dim ?? []).map((dim) =>
      dim.dimValue === undefined ? (dim.dimParam ?? '') : Number(dim.dimValue),
    ),
  };
}

function externalData(tensors: readonly OnnxTensor[]): ExternalData[] {
  const lengths = new Map<string, number>();
  for (const tensor of tensors) {
    if (tensor.dataLocation !== DATA_LOCATION_EXTERNAL) continue;
    const entries = new Map(tensor.externalData?.map(({ key, value }) => [key, value]));
    const location = entries.get('location');
    if (location === undefined) throw new Error(`the external tensor ${tensor.name ?? ''} has no location`);
    const end = Number(entries.get('offset') ?? 0) + Number(entries.get('length') ?? tensorBytes(tensor));
    if (!Number.isSafeInteger(end) || end < 0)
      throw new Error(`the place of ${tensor.name ?? ''} is no number`);
    lengths.set(location, Math.max(end, lengths.get(location) ?? 0));
  }
  return [...lengths].map(([location, byteLength]) => ({ location, byteLength }));
}

function bytesByType(tensors: readonly OnnxTensor[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const tensor of tensors) {
    const name = elementTypeName(tensor.dataType ?? 0);
    sums[name] = (sums[name] ?? 0) + tensorBytes(tensor);
  }
  return sums;
}

function tensorBytes(tensor: OnnxTensor): number {
  const elements = (tensor.dims ?? []).reduce<number>((product, dim) => product * Number(dim), 1);
  return elementBytes(tensor.dataType ?? 0, elements);
}
