/**
 * Checkpoints as transformers writes them, from what the fixtures of test/fixtures/families keep: the header of
 * model.safetensors, and the weights as the exporter wrote them into graphs.
 */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import type { OnnxTensor } from '../../../actors/model/onnx/onnx-types.ts';
import { toHalves } from '../../../bench/half-model/half.ts';

const FAMILIES = fileURLToPath(new URL('../../fixtures/families', import.meta.url));
/** What is no part of a checkpoint, and what the exporter takes out of processor_config.json. */
const NOT_COPIED = new Set(['golden.json', 'checkpoint.json', 'preprocessor_config.json']);

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export type Header = Readonly<Record<string, Entry>>;

/** How a float32 is stored, and its name in the header. */
export interface Storage {
  readonly dtype: string;
  readonly bytes: number;
  write(view: DataView, offset: number, value: number): void;
}

export const STORAGES = {
  F32: { dtype: 'F32', bytes: 4, write: (view, offset, value) => view.setFloat32(offset, value, true) },
  F64: { dtype: 'F64', bytes: 8, write: (view, offset, value) => view.setFloat64(offset, value, true) },
  F16: {
    dtype: 'F16',
    bytes: 2,
    write: (view, offset, value) => view.setUint16(offset, toHalves(Float32Array.of(value))[0] ?? 0, true),
  },
  // The upper half of a float32.
  BF16: {
    dtype: 'BF16',
    bytes: 2,
    write: (view, offset, value) => {
      const bits = new DataView(new ArrayBuffer(4));
      bits.setFloat32(0, value);
      view.setUint16(offset, bits.getUint16(0), true);
    },
  },
} as const satisfies Record<string, Storage>;

export function fixturePath(family: string): string {
  return join(FAMILIES, family);
}

export async function familyNames(): Promise<string[]> {
  const entries = await readdir(FAMILIES, { withFileTypes: true });
  return entries.filter((one) => one.isDirectory() && one.name !== 'published').map(({ name }) => name);
}

export async function headerOf(family: string): Promise<Header> {
  return JSON.parse(await readFile(join(fixturePath(family), 'checkpoint.json'), 'utf8'));
}

/** All float32 constants of the fixture's graphs. */
export async function constantsOf(family: string): Promise<ReadonlyMap<string, OnnxTensor>> {
  const folder = join(fixturePath(family), 'onnx');
  const constants = new Map<string, OnnxTensor>();
  for (const file of await readdir(folder)) {
    const { graph } = decodeModel(await readFile(join(folder, file)));
    for (const one of graph?.initializer ?? []) constants.set(one.name ?? '', one);
  }
  return constants;
}

/** Writes a checkpoint folder of the fixture's kind. `valuesOf`: a weight's values, row by row; undefined: zeros. */
export async function writeCheckpoint(
  family: string,
  folder: string,
  valuesOf: (name: string, shape: readonly number[]) => ArrayLike<number> | undefined,
  storage: Storage = STORAGES.F32,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const source = fixturePath(family);
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const { name } = entry;
    if (entry.isFile() && !NOT_COPIED.has(name)) await copyFile(join(source, name), join(folder, name));
  }
  const header: Record<string, Entry> = {};
  let end = 0;
  for (const [name, { shape }] of Object.entries(await headerOf(family))) {
    const begin = end;
    end += storage.bytes * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: storage.dtype, shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const file = Buffer.alloc(8 + text.length + end);
  file.writeBigUInt64LE(BigInt(text.length));
  text.copy(file, 8);
  const view = new DataView(file.buffer, file.byteOffset + 8 + text.length);
  for (const [name, { shape, data_offsets }] of Object.entries(header)) {
    const values = valuesOf(name, shape) ?? [];
    for (let i = 0; i < values.length; i++) {
      storage.write(view, data_offsets[0] + i * storage.bytes, values[i] ?? 0);
    }
  }
  await writeFile(join(folder, 'model.safetensors'), file);
}

/** Values of a weight that graphs hold as it is, or transposed as `NAME_t`; undefined of one that they do not hold. */
export function weightIn(
  constants: ReadonlyMap<string, OnnxTensor>,
  name: string,
  shape: readonly number[],
): Float32Array | undefined {
  const asIs = constants.get(name);
  if (asIs !== undefined) return floatsOf(asIs);
  const transposed = constants.get(`${name}_t`);
  if (transposed === undefined) return undefined;
  const [rows = 0, columns = 0] = shape;
  const source = floatsOf(transposed);
  return Float32Array.from(source, (_, i) => source[(i % columns) * rows + Math.floor(i / columns)] ?? 0);
}

function floatsOf({ rawData }: OnnxTensor): Float32Array {
  // A copy: where the values begin in the file need not be a multiple of four bytes.
  return new Float32Array(Uint8Array.from(rawData ?? []).buffer);
}
