/** Reads the values of an ONNX file's tensors, one at a time: from the file itself or from those beside it. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { halvesToNumbers } from './half-to-number.ts';
import { DATA_LOCATION_EXTERNAL, type OnnxTensor } from './onnx-types.ts';

const FLOAT = 1;
const UINT8 = 2;
const FLOAT16 = 10;

export class TensorReader {
  readonly #folder: string;

  /** @param folder what locations of external data are relative to */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Its bytes, in a buffer of their own. Blocks: for threads that have nothing else to do.
   *
   * @throws Error when they are not where the tensor says, or of a type that weights do not have
   */
  bytes(tensor: OnnxTensor): Uint8Array<ArrayBuffer> {
    if (tensor.dataLocation === DATA_LOCATION_EXTERNAL) return this.#external(tensor);
    if (tensor.rawData !== undefined) return new Uint8Array(tensor.rawData);
    if (tensor.floatData !== undefined) return new Uint8Array(Float32Array.from(tensor.floatData).buffer);
    // Where protobuf has no list of so small numbers.
    if (tensor.dataType === UINT8) return Uint8Array.from(tensor.int32Data ?? []);
    if (tensor.dataType === FLOAT16) return new Uint8Array(Uint16Array.from(tensor.int32Data ?? []).buffer);
    throw new Error(`${tensor.name} has its values in an unusual place`);
  }

  /** As numbers of 32 bits, from 16 where the file has them so. @throws Error for other element types */
  floats(tensor: OnnxTensor): Float32Array {
    const { buffer } = this.bytes(tensor);
    if (tensor.dataType === FLOAT) return new Float32Array(buffer);
    if (tensor.dataType === FLOAT16) return halvesToNumbers(new Uint16Array(buffer));
    throw new Error(`${tensor.name} has elements of type ${tensor.dataType}`);
  }

  #external({ name, externalData = [] }: OnnxTensor): Uint8Array<ArrayBuffer> {
    const field = (key: string) => externalData.find((pair) => pair.key === key)?.value;
    const length = Number(field('length'));
    if (!Number.isSafeInteger(length)) throw new Error(`${name} does not say how long its data is`);
    const bytes = new Uint8Array(length);
    const file = openSync(join(this.#folder, field('location') ?? ''), 'r');
    try {
      const offset = Number(field('offset') ?? 0);
      for (let read = 0; read < length; ) {
        const count = readSync(file, bytes, read, length - read, offset + read);
        if (count === 0) throw new Error(`the file with ${name} ends too early`);
        read += count;
      }
    } finally {
      closeSync(file);
    }
    return bytes;
  }
}
