/**
 * An ONNX graph without its weights, read from afar: everything that says what the graph is (operators, inputs, outputs, the
 * shapes of its weights and where they lie) and none of the bytes of the weights, which are most of the file. The result is an
 * ONNX file itself. After the protobuf encoding and onnx.proto: a model has a graph in field 7, the graph nodes in 1 and
 * initializers in 5, a tensor its data in 4 to 7 and 9 to 11.
 */
import { ModelError } from '../../actors/errors.ts';

export interface ByteSource {
  readonly size: number;
  /** @returns less than `length` at the end of the file */
  read(from: number, length: number): Promise<Buffer>;
}

const LENGTH_DELIMITED = 2;
const GRAPH = 7;
const INITIALIZER = 5;
/** float_data, int32_data, string_data, int64_data, raw_data, double_data, uint64_data */
const DATA_FIELDS: ReadonlySet<number> = new Set([4, 5, 6, 7, 9, 10, 11]);
/** Shapes and axes are small, and say more than their size. */
const SMALL_BYTES = 1024;
const LONGEST_VARINT = 10;

/** @param name of the file, for errors. @throws ModelError `MODEL_FILE_CORRUPT`; what the source throws */
export async function onnxHead(source: ByteSource, name: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const field of fieldsOf(source, 0, source.size, name)) {
    if (field.number !== GRAPH) parts.push(await whole(source, field));
    else parts.push(wrapped(GRAPH, await graphHead(source, field, name)));
  }
  return Buffer.concat(parts);
}

async function graphHead(source: ByteSource, graph: Field, name: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const field of fieldsOf(source, graph.from, graph.to, name)) {
    if (field.number !== INITIALIZER) parts.push(await whole(source, field));
    else parts.push(wrapped(INITIALIZER, await tensorHead(source, field, name)));
  }
  return Buffer.concat(parts);
}

async function tensorHead(source: ByteSource, tensor: Field, name: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const field of fieldsOf(source, tensor.from, tensor.to, name)) {
    const isData = DATA_FIELDS.has(field.number) && field.to - field.from > SMALL_BYTES;
    if (!isData) parts.push(await whole(source, field));
  }
  return Buffer.concat(parts);
}

/** A field of a message: where its value is, and where it begins with its tag. */
interface Field {
  readonly number: number;
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

async function* fieldsOf(source: ByteSource, from: number, to: number, name: string): AsyncGenerator<Field> {
  for (let start = from; start < to; ) {
    const head = await source.read(start, Math.min(2 * LONGEST_VARINT, to - start));
    const tag = varint(head, 0);
    const kind = tag === undefined ? undefined : tag.value % 8;
    const after = tag?.end ?? 0;
    let length: number | undefined;
    let skipped = after;
    if (kind === LENGTH_DELIMITED) {
      const size = varint(head, after);
      skipped = size?.end ?? after;
      length = size?.value;
    } else if (kind === 0) length = (varint(head, after)?.end ?? Number.NaN) - after;
    else if (kind === 1) length = 8;
    else if (kind === 5) length = 4;
    const end = start + skipped + (length ?? Number.NaN);
    if (tag === undefined || !(end <= to)) throw notOnnx(name);
    yield { number: Math.floor(tag.value / 8), start, from: start + skipped, to: end };
    start = end;
  }
}

async function whole(source: ByteSource, { start, to }: Field): Promise<Buffer> {
  return Buffer.from(await source.read(start, to - start));
}

function wrapped(number: number, content: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([number * 8 + LENGTH_DELIMITED]),
    encodedVarint(content.length),
    content,
  ]);
}

/** Undefined when it does not end within the bytes. */
function varint(bytes: Buffer, from: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = 0; index < LONGEST_VARINT; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: from + index + 1 };
  }
  return undefined;
}

function encodedVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

function notOnnx(path: string): ModelError {
  return new ModelError('MODEL_FILE_CORRUPT', 'The file is no ONNX graph', {
    path,
    remedy: 'Choose another model',
  });
}
