/**
 * Small graphs that are made here, to move tensors about on the GPU: only a graph can read a GPU tensor. They have no
 * weights, and every dimension is open.
 */

import { encodeModel } from '../../model/onnx/onnx-proto.ts';
import type { OnnxNode, OnnxValueInfo } from '../../model/onnx/onnx-types.ts';
import { intAttribute } from '../../model/rewrite/graph-editor.ts';
import { OrtSession } from '../ort-session.ts';
import type { GpuMemory } from './gpu-memory.ts';

/** Numbers of `TensorProto.DataType`. */
export const ELEMENT = { float32: 1, int64: 7, float16: 10 } as const;

export type ElementName = keyof typeof ELEMENT;

/** A name, its element type, and how many dimensions it has; undefined for any number. */
export type Port = readonly [name: string, type: ElementName, rank: number | undefined];

export interface SmallGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly Port[];
  /** They stay on the GPU. */
  readonly outputs: readonly Port[];
  /** int64 constants by name. */
  readonly constants?: Readonly<Record<string, readonly number[]>>;
}

/** Operators as of ONNX 1.8: the newest that these graphs need. */
const OPSET = 13;
const IR_VERSION = 8;

export function smallGraph({ nodes, inputs, outputs, constants = {} }: SmallGraph): Uint8Array {
  return encodeModel({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: 'troupe',
      node: [...nodes],
      input: inputs.map(valueInfo),
      output: outputs.map(valueInfo),
      initializer: Object.entries(constants).map(([name, values]) => ({
        name,
        dims: [values.length],
        dataType: ELEMENT.int64,
        int64Data: [...values],
      })),
    },
  });
}

export function loadSmallGraph(graph: SmallGraph, gpu: GpuMemory): Promise<OrtSession> {
  const staysOnGpu = graph.outputs.map(([name]) => name);
  return OrtSession.load(smallGraph(graph), { threads: 1, gpu, staysOnGpu });
}

export function node(opType: string, input: readonly string[], output: string, axis?: number): OnnxNode {
  const attribute = axis === undefined ? [] : [intAttribute('axis', axis)];
  return { opType, input: [...input], output: [output], attribute };
}

function valueInfo([name, type, rank]: Port): OnnxValueInfo {
  const elemType = ELEMENT[type];
  if (rank === undefined) return { name, type: { tensorType: { elemType } } };
  const dim = Array.from({ length: rank }, (_, axis) => ({ dimParam: `${name}_${axis}` }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
