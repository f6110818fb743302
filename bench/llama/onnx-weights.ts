/** Reads the weights of an ONNX file, one tensor at a time. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { halvesToNumbers } from '../../actors/model/onnx/half-to-number.ts';
import { decodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import { DATA_LOCATION_EXTERNAL, type OnnxTensor } from '../../actors/model/onnx/onnx-types.ts';
import { TYPE } from '../../test/fixtures/graphs/graph-builder.ts';
import type { StoredMatrix } from './gguf-blocks.ts';

export class OnnxWeights {
  readonly #folder: string;
  readonly #tensors: ReadonlyMap<string, OnnxTensor>;

  private constructor(folder: string, tensors: ReadonlyMap<string, OnnxTensor>) {
    this.#folder = folder;
    this.#tensors = tensors;
  }

  static async open(path: string): Promise<OnnxWeights> {
    const { graph } = decodeModel(await readFile(path));
    const tensors = (graph?.initializer ?? []).map((tensor) => [tensor.name ?? '', tensor] as const);
    return new OnnxWeights(dirname(path), new Map(tensors));
  }

  /** The first of the names that there is. */
  find(...names: readonly string[]): string | undefined {
    return names.find((name) => this.#tensors.has(name));
  }

  /** As numbers of 32 bits, from 16 where the file has them so. */
  async floats(name: string): Promise<Float32Array> {
    const tensor = this.#tensor(name);
    const bytes = await this.#bytes(tensor);
    if (tensor.dataType === TYPE.float32) return new Float32Array(bytes.buffer);
    if (tensor.dataType !== TYPE.float16)
      throw new TypeError(`${name} has elements of type ${tensor.dataType}`);
    return halvesToNumbers(new Uint16Array(bytes.buffer));
  }

  /** What the product with a matrix is made with, whichever precision it is kept in. */
  async matrix(name: string): Promise<StoredMatrix> {
    const float = this.find(name, `${name}_t`, `${name}_t_f16`);
    if (float !== undefined) return { kind: 'float', values: await this.floats(float) };
    if (this.find(`${name}_q4`) !== undefined) {
      const scales = this.find(`${name}_scales`, `${name}_scales_f16`) ?? `${name}_scales`;
      const levels = await this.#bytes(this.#tensor(`${name}_q4`));
      return { kind: 'q4', levels, scales: await this.floats(scales) };
    }
    const bytes = await this.#bytes(this.#tensor(`${name}_bytes`));
    const [scale = Number.NaN] = await this.floats(`${name}_scale`);
    return { kind: 'q8', levels: new Int8Array(bytes.buffer), scale };
  }

  /** The precision a matrix is kept in, without reading it. */
  kindOf(name: string): StoredMatrix['kind'] {
    if (this.find(name, `${name}_t`, `${name}_t_f16`) !== undefined) return 'float';
    return this.find(`${name}_q4`) === undefined ? 'q8' : 'q4';
  }

  #tensor(name: string): OnnxTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new Error(`the graph has no weights named ${name}`);
    return tensor;
  }

  /** In a buffer of their own, which begins with them. */
  async #bytes({
    name,
    dataLocation,
    externalData = [],
    rawData,
    floatData,
  }: OnnxTensor): Promise<Buffer<ArrayBuffer>> {
    if (floatData !== undefined) return Buffer.from(Float32Array.from(floatData).buffer);
    if (dataLocation !== DATA_LOCATION_EXTERNAL) return Buffer.from(Uint8Array.from(rawData ?? []).buffer);
    const field = (key: string): string => {
      const value = externalData.find((pair) => pair.key === key)?.value;
      if (value === undefined) throw new Error(`${name} does not say the ${key} of its data`);
      return value;
    };
    const file = await open(join(this.#folder, field('location')));
    try {
      return await readAt(file, Number(field('offset')), Number(field('length')));
    } finally {
      await file.close();
    }
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.from(new ArrayBuffer(length));
  for (let read = 0; read < length; ) {
    const { bytesRead } = await file.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) throw new Error(`the file of weights ends ${length - read} bytes too early`);
    read += bytesRead;
  }
  return bytes;
}
