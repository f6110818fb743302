/** A file of weights beside a graph that is written here. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { DATA_LOCATION_EXTERNAL, type OnnxTensor } from '../onnx/onnx-types.ts';
import type { TensorReader } from '../onnx/tensor-reader.ts';

/** A page: onnxruntime then maps a tensor instead of reading it. */
const ALIGNMENT = 4096;

export class WeightsFile {
  readonly #file: number;
  readonly #location: string;
  #end = 0;

  /** @param path of a file that is not there yet */
  constructor(path: string) {
    this.#file = openSync(path, 'wx');
    this.#location = basename(path);
  }

  /** Writes a tensor's bytes. @returns what the graph says of their place */
  append(bytes: Uint8Array): Pick<OnnxTensor, 'dataLocation' | 'externalData'> {
    const offset = this.#end;
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(this.#file, bytes, written, bytes.length - written, offset + written);
    }
    this.#end = offset + Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
    return {
      dataLocation: DATA_LOCATION_EXTERNAL,
      externalData: [
        { key: 'location', value: this.#location },
        { key: 'offset', value: String(offset) },
        { key: 'length', value: String(bytes.length) },
      ],
    };
  }

  /** Moves the values of a tensor here that lie in another file. */
  adopt(tensor: OnnxTensor, source: TensorReader): void {
    const here = tensor.externalData?.some(
      ({ key, value }) => key === 'location' && value === this.#location,
    );
    if (tensor.dataLocation !== DATA_LOCATION_EXTERNAL || here === true) return;
    Object.assign(tensor, this.append(source.bytes(tensor)));
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
