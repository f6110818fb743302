/**
 * The offending value of an input error, made small: strings (a data URL may have megabytes) are cut, objects are
 * named by their kind alone.
 */
import { types } from 'node:util';
import { isBlob, isUrl } from '../runtime/util/realms.ts';

const MAX_LENGTH = 80;

export function shownValue(value: unknown): string | number | boolean | null {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return `${value.byteLength} bytes`;
  if (isBlob(value)) return `${value.size} bytes`;
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (typeof value !== 'string' && !isUrl(value)) return typeof value;
  const text = String(value);
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1)}…`;
}
