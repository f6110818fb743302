/**
 * Builds one ONNX file with weights that are made only when they are written, one tensor at a time, into a file of
 * external data beside the graph: a protobuf ends at 2 GB, and memory should hold one tensor, not a model.
 */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import {
  ATTRIBUTE_TYPE,
  DATA_LOCATION_EXTERNAL,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from '../../actors/model/onnx/onnx-types.ts';
import { eightBit, quantizedProduct, quantizer } from '../../test/fixtures/graphs/eight-bit.ts';
import { floats, int64s, intAttribute, node, TYPE } from '../../test/fixtures/graphs/graph-builder.ts';
import { ExternalDataFile } from './external-data-file.ts';
import { BLOCK, fourBit } from './four-bit.ts';
import type { Precision } from './precision.ts';
import { transposed } from './transposed.ts';

export const MICROSOFT = 'com.microsoft';

interface PlannedTensor {
  readonly tensor: OnnxTensor;
  readonly make: () => Float32Array | Uint8Array | Int8Array;
}

interface TensorPlan {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
}

export interface Linear {
  readonly inputs: number;
  readonly outputs: number;
  /** Row by row of outputs: `[outputs, inputs]`. */
  readonly weights: () => Float32Array;
}

export class GraphWriter {
  readonly #precision: Precision;
  readonly #nodes: OnnxNode[] = [];
  readonly #small = new Map<string, OnnxTensor>();
  readonly #large: PlannedTensor[] = [];
  readonly #quantizedInputs = new Set<string>();

  constructor(precision: Precision) {
    this.#precision = precision;
  }

  /** Adds a node with one output, which it returns the name of. */
  node(
    opType: string,
    inputs: string[],
    output: string,
    attributes: OnnxAttribute[] = [],
    domain = '',
  ): string {
    this.nodeWith(opType, inputs, [output], attributes, domain);
    return output;
  }

  nodeWith(
    opType: string,
    inputs: string[],
    outputs: string[],
    attributes: OnnxAttribute[] = [],
    domain = '',
  ): void {
    this.#nodes.push(node(opType, inputs, outputs, attributes, domain));
  }

  ints(...values: number[]): string {
    const name = `ints_${values.join('_')}`;
    this.#small.set(name, int64s(name, values));
    return name;
  }

  scalar(value: number): string {
    const name = `scalar_${value}`;
    this.#small.set(name, int64s(name, value));
    return name;
  }

  /** A small constant, kept in the graph itself. */
  constant(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    this.#small.set(name, floats(name, dims, values));
    return name;
  }

  /** Weights, kept in the external data. */
  weights(name: string, dims: readonly number[], make: () => Float32Array): string {
    this.#plan(name, dims, TYPE.float32, make);
    return name;
  }

  /** `x` times a matrix, in the file's precision. */
  linear(x: string, name: string, { inputs, outputs, weights }: Linear, out: string): string {
    if (this.#precision === 'fp32') {
      this.#plan(name, [inputs, outputs], TYPE.float32, () => transposed(weights(), outputs, inputs));
      return this.node('MatMul', [x, name], out);
    }
    if (this.#precision === 'q8') return this.#quantized(x, name, { inputs, outputs, weights }, out);
    const blocks = inputs / BLOCK;
    if (!Number.isInteger(blocks))
      throw new RangeError(`${name}: rows of ${inputs} are no blocks of ${BLOCK}`);
    this.#planPair(
      { name: `${name}_q4`, dims: [outputs, blocks, BLOCK / 2], dataType: TYPE.uint8 },
      { name: `${name}_scales`, dims: [outputs * blocks], dataType: TYPE.float32 },
      () => {
        const { levels, scales } = fourBit(weights());
        return [levels, scales];
      },
    );
    const sizes = { K: inputs, N: outputs, bits: 4, block_size: BLOCK, accuracy_level: 4 };
    return this.node(
      'MatMulNBits',
      [x, `${name}_q4`, `${name}_scales`],
      out,
      Object.entries(sizes).map(([key, value]) => intAttribute(key, value)),
      MICROSOFT,
    );
  }

  /** As onnxruntime's dynamic quantization writes a product: both sides in 8 bits, one scale for all weights. */
  #quantized(x: string, name: string, { inputs, outputs, weights }: Linear, out: string): string {
    this.#planPair(
      { name: `${name}_bytes`, dims: [inputs, outputs], dataType: TYPE.int8 },
      { name: `${name}_scale`, dims: [1], dataType: TYPE.float32 },
      () => {
        const { levels, scale } = eightBit(transposed(weights(), outputs, inputs));
        return [levels, scale];
      },
    );
    if (!this.#quantizedInputs.has(x)) this.#nodes.push(quantizer(x));
    this.#quantizedInputs.add(x);
    this.#nodes.push(...quantizedProduct({ opType: 'MatMulInteger', x, weights: name, output: out }));
    return out;
  }

  /**
   * Writes `path` and `path` + `_data`.
   * @param onBytes told of every tensor written
   */
  async save(
    path: string,
    inputs: OnnxValueInfo[],
    outputs: OnnxValueInfo[],
    onBytes: (bytes: number) => void,
  ): Promise<void> {
    const file = await ExternalDataFile.create(`${path}_data`);
    try {
      for (const { tensor, make } of this.#large) {
        const values = make();
        tensor.externalData = await file.append(values);
        onBytes(values.byteLength);
      }
    } finally {
      await file.close();
    }
    const model = encodeModel({
      irVersion: 8n,
      producerName: 'troupe-bench',
      opsetImport: [
        { domain: '', version: 17n },
        { domain: MICROSOFT, version: 1n },
      ],
      graph: {
        name: basename(path, '.onnx'),
        node: this.#nodes,
        initializer: [...this.#small.values(), ...this.#large.map(({ tensor }) => tensor)],
        input: inputs,
        output: outputs,
      },
    });
    await writeFile(path, model);
  }

  /** Levels, and behind them their scales, which are small: made together, and held until they are written. */
  #planPair(
    levels: TensorPlan,
    scales: TensorPlan,
    make: () => readonly [levels: Uint8Array | Int8Array, scales: Float32Array],
  ): void {
    let held: Float32Array | undefined;
    this.#plan(levels.name, levels.dims, levels.dataType, () => {
      const [made, scale] = make();
      held = scale;
      return made;
    });
    this.#plan(scales.name, scales.dims, scales.dataType, () => {
      const scale = held ?? make()[1];
      held = undefined;
      return scale;
    });
  }

  #plan(
    name: string,
    dims: readonly number[],
    dataType: number,
    make: () => Float32Array | Uint8Array | Int8Array,
  ): void {
    const tensor = { name, dims: [...dims], dataType, dataLocation: DATA_LOCATION_EXTERNAL };
    this.#large.push({ tensor, make });
  }
}

export function floatAttribute(name: string, f: number): OnnxAttribute {
  return { name, type: ATTRIBUTE_TYPE.float, f };
}

export function intsAttribute(name: string, ints: number[]): OnnxAttribute {
  return { name, type: ATTRIBUTE_TYPE.ints, ints };
}
