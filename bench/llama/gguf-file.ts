/** Writes a GGUF file: metadata, a list of tensors, and the tensors, each made only when it is written. */
import { type FileHandle, open } from 'node:fs/promises';
import { type GGUFTypedMetadata, GGUFValueType, serializeGgufMetadata } from '@huggingface/gguf';
import { ggufBytes } from './gguf-blocks.ts';
import type { GgufTensor, GgufValue } from './gguf-types.ts';

/** Where each tensor begins, by the format's default. */
const ALIGNMENT = 32;
const VERSION = 3;

export async function writeGguf(
  path: string,
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Promise<void> {
  const file = await open(path, 'w');
  try {
    const header = headerOf(metadata, tensors);
    await writeAll(file, header, 0);
    const start = aligned(header.length);
    for (const { tensor, offset } of placed(tensors)) {
      const bytes = await tensor.make();
      const expected = sizeOf(tensor);
      if (bytes.length !== expected) {
        throw new RangeError(`${tensor.name} has ${bytes.length} bytes, not ${expected}`);
      }
      await writeAll(file, bytes, start + offset);
    }
  } finally {
    await file.close();
  }
}

function headerOf(metadata: Readonly<Record<string, GgufValue>>, tensors: readonly GgufTensor[]): Buffer {
  const typed: GGUFTypedMetadata = {
    version: { value: VERSION, type: GGUFValueType.UINT32 },
    tensor_count: { value: BigInt(tensors.length), type: GGUFValueType.UINT64 },
    kv_count: { value: BigInt(Object.keys(metadata).length), type: GGUFValueType.UINT64 },
    ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, typedValue(value)])),
  };
  // The list of tensors follows at once; only the tensors themselves are aligned.
  const values = serializeGgufMetadata(typed, { alignment: 1 });
  return Buffer.concat([values, ...placed(tensors).map(({ tensor, offset }) => tensorInfo(tensor, offset))]);
}

function typedValue(value: GgufValue): GGUFTypedMetadata[string] {
  if (typeof value === 'string') return { value, type: GGUFValueType.STRING };
  if (typeof value === 'boolean') return { value, type: GGUFValueType.BOOL };
  if ('uint32' in value) return { value: value.uint32, type: GGUFValueType.UINT32 };
  if ('float32' in value) return { value: value.float32, type: GGUFValueType.FLOAT32 };
  const type = GGUFValueType.ARRAY;
  if ('strings' in value) return { value: [...value.strings], type, subType: GGUFValueType.STRING };
  if ('float32s' in value) return { value: [...value.float32s], type, subType: GGUFValueType.FLOAT32 };
  return { value: [...value.int32s], type, subType: GGUFValueType.INT32 };
}

function tensorInfo({ name, dims, type }: GgufTensor, offset: number): Buffer {
  const bytes = Buffer.from(name);
  const info = Buffer.alloc(8 + bytes.length + 4 + 8 * dims.length + 4 + 8);
  let at = info.writeBigUInt64LE(BigInt(bytes.length));
  at += bytes.copy(info, at);
  at = info.writeUInt32LE(dims.length, at);
  for (const size of dims) at = info.writeBigUInt64LE(BigInt(size), at);
  at = info.writeUInt32LE(type, at);
  info.writeBigUInt64LE(BigInt(offset), at);
  return info;
}

/** Each with its distance from where tensors begin. */
function placed(tensors: readonly GgufTensor[]): { readonly tensor: GgufTensor; readonly offset: number }[] {
  let offset = 0;
  return tensors.map((tensor) => {
    const place = { tensor, offset };
    offset += aligned(sizeOf(tensor));
    return place;
  });
}

function sizeOf({ type, dims }: GgufTensor): number {
  return ggufBytes(
    type,
    dims.reduce((product, size) => product * size, 1),
  );
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** One write call ends at 2 GiB, and may end earlier. */
async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, undefined, offset + written);
    written += bytesWritten;
  }
}
