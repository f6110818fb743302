/**
 * ONNX files to objects and back, lossless: every field of the public schema survives decode and encode. Bytes
 * (`rawData`, `s`, …) of a decoded model are views of the file's buffer, not copies.
 */
import protobuf from 'protobufjs/light.js';
import { ONNX_MESSAGES } from './onnx-schema.ts';
import type { OnnxModel } from './onnx-types.ts';

const modelType = createModelType();

/** @throws Error when `bytes` is no protobuf message of this schema (truncated, corrupt, something else). */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  return modelType.toObject(modelType.decode(bytes), { longs: BigInt });
}

/** The bytes of an `.onnx` file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return modelType.encode(modelType.fromObject(model)).finish();
}

function createModelType(): protobuf.Type {
  const root = new protobuf.Root();
  for (const [name, fields] of Object.entries(ONNX_MESSAGES)) {
    const type = new protobuf.Type(name);
    for (const [fieldName, [id, fieldType, label]] of Object.entries(fields)) {
      const rule = label === undefined ? 'optional' : 'repeated';
      const options = label === 'repeated' ? { packed: false } : {};
      type.add(new protobuf.Field(fieldName, id, fieldType, rule, undefined, options));
    }
    root.add(type);
  }
  return root.lookupType('ModelProto');
}
