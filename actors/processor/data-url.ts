/** The bytes in a data URL (RFC 2397): `data:image/png;base64,iVBORw0…`, or percent-encoded without `;base64`. */
import { InputError } from '../errors.ts';
import { tooManyBytes } from './image-limits.ts';
import { shownValue } from './shown-value.ts';

/** A media type with its parameters is shorter; megabytes before the comma are none. */
const LONGEST_HEADER = 256;
const HEADER = new RegExp(`^data:[^,]{0,${LONGEST_HEADER}},`, 'i');
/** A media type that says it is something else is believed; one that says image is not: the bytes decide. */
const OTHER_TYPE = /^data:\s*(?!image\/|[;,\s])/i;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

const SPACE = 0x20;
const PERCENT = 0x25;
const LARGEST_BYTE = 0xff;

/** @throws InputError IMAGE_DATA_URL_INVALID, IMAGE_TOO_LARGE_BYTES */
export function decodeDataUrl(url: string, field: string, maxBytes: number): Buffer<ArrayBuffer> {
  const header = HEADER.exec(url)?.[0];
  if (header === undefined || OTHER_TYPE.test(header)) throw invalid(url, field);
  const payload = url.slice(header.length);
  const isBase64 = /;\s*base64\s*,$/i.test(header);
  // Each byte is three characters at most.
  if (!isBase64 && payload.length > maxBytes * 3) {
    throw tooManyBytes(field, Math.ceil(payload.length / 3), maxBytes);
  }
  const bytes = isBase64 ? decodeBase64(payload, field, maxBytes) : decodePercent(payload);
  if (bytes === undefined) throw invalid(url, field);
  return bytes;
}

function decodeBase64(payload: string, field: string, maxBytes: number): Buffer<ArrayBuffer> | undefined {
  const digits = /[%\s]/.test(payload) ? withoutSpaces(decodePercent(payload))?.toString('latin1') : payload;
  if (digits === undefined) return undefined;
  const size = Math.floor((digits.length * 3) / 4);
  // Two padding characters at most: with them counted in, the size is over by 2.
  if (size - 2 > maxBytes) throw tooManyBytes(field, size, maxBytes);
  // `Buffer.from` drops what it cannot read, so what it can read is checked first.
  if (!BASE64.test(digits) || digits.replace(/={1,2}$/, '').length % 4 === 1) return undefined;
  return Buffer.from(digits, 'base64');
}

/** Byte by byte: a text of many escapes costs no more than one of none. Undefined when it is not encoded rightly. */
function decodePercent(payload: string): Buffer<ArrayBuffer> | undefined {
  const bytes = Buffer.alloc(payload.length);
  let length = 0;
  for (let at = 0; at < payload.length; at++) {
    let byte = payload.charCodeAt(at);
    if (byte === PERCENT) {
      byte = hexDigit(payload.charCodeAt(at + 1)) * 16 + hexDigit(payload.charCodeAt(at + 2));
      at += 2;
    }
    if (!(byte <= LARGEST_BYTE)) return undefined;
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/** In place. Lines are broken where somebody may have wanted them. */
function withoutSpaces(bytes: Buffer<ArrayBuffer> | undefined): Buffer<ArrayBuffer> | undefined {
  if (bytes === undefined) return undefined;
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > SPACE) bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/** NaN for what is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

function invalid(url: string, field: string): InputError {
  const remedy = 'Write it as data:image/png;base64, followed by the encoded bytes.';
  const facts = { field, value: shownValue(url), remedy };
  return new InputError('IMAGE_DATA_URL_INVALID', 'is no valid data URL', facts);
}
