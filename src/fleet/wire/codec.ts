/** Messages to bytes and back: JSON, and behind the head of a request its images. */
import type { z } from 'zod';
import { badMessage } from '../fleet-errors.ts';
import type { ToNode } from './messages.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Of a head that comes before bytes. */
const LENGTH_BYTES = 4;

export function encodeJson(message: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(message));
}

/** @throws TroupeError `FLEET_MESSAGE_INVALID` */
export function decodeJson<T extends z.ZodType>(bytes: Uint8Array, schema: T): z.output<T> {
  const checked = schema.safeParse(parsed(bytes));
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw badMessage(`is invalid at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? ''}`);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw badMessage('is no JSON');
  }
}

/** `[length of the head][head as JSON][bytes]` */
export function encodeToNode(message: ToNode, bytes: readonly Uint8Array[] = []): Uint8Array {
  const head = encodeJson(message);
  const size = bytes.reduce((sum, { length }) => sum + length, LENGTH_BYTES + head.length);
  const whole = new Uint8Array(size);
  new DataView(whole.buffer).setUint32(0, head.length);
  whole.set(head, LENGTH_BYTES);
  let at = LENGTH_BYTES + head.length;
  for (const one of bytes) {
    whole.set(one, at);
    at += one.length;
  }
  return whole;
}

/** @throws TroupeError `FLEET_MESSAGE_INVALID` */
export function decodeToNode<T extends z.ZodType>(
  whole: Uint8Array,
  schema: T,
): { readonly message: z.output<T>; readonly bytes: Uint8Array } {
  if (whole.length < LENGTH_BYTES) throw badMessage('is too short');
  const length = new DataView(whole.buffer, whole.byteOffset, whole.length).getUint32(0);
  const end = LENGTH_BYTES + length;
  if (end > whole.length) throw badMessage('is cut off');
  const message = decodeJson(whole.subarray(LENGTH_BYTES, end), schema);
  return { message, bytes: whole.subarray(end) };
}
