/**
 * The weights file of a graph that onnxruntime has saved with its packed weights, laid out anew: each piece begins at
 * a multiple of 64 bytes. onnxruntime 1.30 writes the pieces one right after the other, some of them of odd length,
 * and maps them where they are. But kernels compute the inner layout of a packed piece from its address: 4-bit
 * weights that were packed at an aligned address and are read at another give NaN. Aligned, they give the same bits.
 *
 *     external data of an initializer      key            value
 *                                          location       file
 *                                          offset, length of the weights as they were
 *                                          prepacked_N    kernel+hash|offset;length;checksum, several joined by |
 */
import { type FileHandle, open } from 'node:fs/promises';
import { tensorsOf } from '../model/onnx/graph-tensors.ts';
import type { OnnxModel, OnnxStringPair } from '../model/onnx/onnx-types.ts';

/** What onnxruntime's allocator aligns to: packed pieces were written at such addresses. */
const ALIGNMENT = 64;
const CHUNK = 4 * 1024 * 1024;
const PREPACKED = 'prepacked_';

/** The kernels that have packed weights in a saved model, sorted. */
export function packingKernels(model: OnnxModel): string[] {
  const kernels = externalEntries(model)
    .flat()
    .filter(({ key }) => key?.startsWith(PREPACKED))
    .map(({ value = '' }) => value.split('+')[0] ?? '');
  return [...new Set(kernels)].sort();
}

/**
 * Copies a model's weights from `source` to a new file `target`, aligned, and changes the model to say so.
 * @param location the target's name, as the model is to call it
 */
export async function alignWeights(
  model: OnnxModel,
  source: string,
  target: string,
  location: string,
): Promise<void> {
  await using from = await open(source, 'r');
  await using to = await open(target, 'wx');
  const copy = new AlignedCopy(from, to);
  for (const entries of externalEntries(model)) {
    const length = Number(entries.find(({ key }) => key === 'length')?.value ?? 0);
    for (const entry of entries) {
      if (entry.key === 'location') entry.value = location;
      else if (entry.key === 'offset') entry.value = String(await copy.piece(Number(entry.value), length));
      else if (entry.key?.startsWith(PREPACKED)) entry.value = await alignPacked(entry.value ?? '', copy);
    }
  }
}

async function alignPacked(value: string, copy: AlignedCopy): Promise<string> {
  const [kernel, ...pieces] = value.split('|');
  const aligned: string[] = [];
  for (const piece of pieces) {
    const [offset, length, ...rest] = piece.split(';');
    aligned.push([await copy.piece(Number(offset), Number(length)), length, ...rest].join(';'));
  }
  return [kernel, ...aligned].join('|');
}

function externalEntries(model: OnnxModel): OnnxStringPair[][] {
  return tensorsOf(model.graph ?? {})
    .map(({ externalData = [] }) => externalData)
    .filter((entries) => entries.length > 0);
}

class AlignedCopy {
  readonly #from: FileHandle;
  readonly #to: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  #end = 0;

  constructor(from: FileHandle, to: FileHandle) {
    this.#from = from;
    this.#to = to;
  }

  /** Copies one piece; returns where it is now. @throws Error when the source ends before it */
  async piece(offset: number, length: number): Promise<number> {
    const start = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    let done = 0;
    while (done < length) {
      const want = Math.min(CHUNK, length - done);
      const { bytesRead } = await this.#from.read(this.#buffer, 0, want, offset + done);
      if (bytesRead === 0) throw new Error('the saved weights end too early');
      await this.#to.write(this.#buffer, 0, bytesRead, start + done);
      done += bytesRead;
    }
    this.#end = start + length;
    return start;
  }
}
