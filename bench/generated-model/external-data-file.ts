/** A file of external data beside a graph, written tensor by tensor. */
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { OnnxStringPair } from '../../actors/model/onnx/onnx-types.ts';

/** A page: lets the runtime map tensors instead of reading them. */
const ALIGNMENT = 4096;

export class ExternalDataFile {
  readonly #file: FileHandle;
  readonly #location: string;
  #offset = 0;

  private constructor(file: FileHandle, location: string) {
    this.#file = file;
    this.#location = location;
  }

  static async create(path: string): Promise<ExternalDataFile> {
    return new ExternalDataFile(await open(path, 'w'), basename(path));
  }

  /** @returns what the graph says of the tensor's place */
  async append(values: Float32Array | Uint8Array | Int8Array): Promise<OnnxStringPair[]> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const offset = this.#offset;
    // One write call ends at 2 GiB, and may end earlier.
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, written, undefined, offset + written);
      written += bytesWritten;
    }
    this.#offset += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
    return [
      { key: 'location', value: this.#location },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(bytes.length) },
    ];
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
