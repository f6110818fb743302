/** The bytes in a data URL (RFC 2397): `data:image/png;base64,iVBORw0…`, or percent-encoded without `;base64`. */
import { InputError } from '../errors.ts';
import { shownValue } from '../shown-value.ts';
import { tooManyBytes } from './image-limits.ts';

/** A media type with its parameters is shorter; megabytes before the comma are none. */
const LONGEST_HEADER = 256;
const HEADER = new RegExp(`^data:([^,]{0,${LONGEST_HEADER}}),`, 'i');
/** The bytes decide what an image is; a type that says it is something else is believed all the same. */
const IMAGE_TYPE = /^(image\/.*|\w+\/octet-stream|application\/unknown|\*\/\*|[^/]*)$/;
const BASE64_PARAMETER = /;\s*base64\s*(;|$)/i;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

const PERCENT = 0x25;
const LARGEST_BYTE = 0xff;
/** Of ASCII: lines are broken where somebody may have wanted them. */
const SPACES = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20]);

/**
 * One step for each character, whatever they are.
 * @throws InputError IMAGE_DATA_URL_INVALID, IMAGE_TOO_LARGE_BYTES
 */
export function decodeDataUrl(url: string, field: string, maxBytes: number): Buffer<ArrayBuffer> {
  const [start, header] = HEADER.exec(url) ?? [];
  if (start === undefined || header === undefined) throw invalid(url, field, 'is no valid data URL');
  const type = header.split(';', 1).join('').trim().toLowerCase();
  if (!IMAGE_TYPE.test(type)) throw invalid(url, field, `is a data URL of the type ${shownValue(type)}`);
  const payload = url.slice(start.length);
  if (BASE64_PARAMETER.test(header)) return decodeBase64(payload, url, field, maxBytes);
  // Each byte is three characters at most.
  if (payload.length > maxBytes * 3) throw tooManyBytes(field, Math.ceil(payload.length / 3), maxBytes);
  return decodePercent(payload, url, field);
}

function decodeBase64(payload: string, url: string, field: string, maxBytes: number): Buffer<ArrayBuffer> {
  const isPlain = !/[%\s]/.test(payload);
  const digits = isPlain ? payload : withoutSpaces(decodePercent(payload, url, field)).toString('latin1');
  const size = Math.floor((digits.length * 3) / 4);
  // Two padding characters at most: with them counted in, the size is over by 2.
  if (size - 2 > maxBytes) throw tooManyBytes(field, size, maxBytes);
  // `Buffer.from` drops what it cannot read, so what it can read is checked first.
  if (!BASE64.test(digits) || digits.replace(/={1,2}$/, '').length % 4 === 1) {
    throw invalid(url, field, 'is a data URL whose bytes are no valid base64');
  }
  return Buffer.from(digits, 'base64');
}

function decodePercent(payload: string, url: string, field: string): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(payload.length);
  let length = 0;
  for (let at = 0; at < payload.length; at++) {
    let byte = payload.charCodeAt(at);
    if (byte === PERCENT) {
      byte = hexDigit(payload.charCodeAt(at + 1)) * 16 + hexDigit(payload.charCodeAt(at + 2));
      if (Number.isNaN(byte)) throw invalid(url, field, 'is a data URL with an incomplete %-sequence');
      at += 2;
    }
    if (byte > LARGEST_BYTE) throw invalid(url, field, 'is a data URL with characters that are no bytes');
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/** In place. */
function withoutSpaces(bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (!SPACES.has(byte)) bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/** NaN for what is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

function invalid(url: string, field: string, problem: string): InputError {
  const remedy = 'Write it as data:image/png;base64, followed by the encoded bytes.';
  return new InputError('IMAGE_DATA_URL_INVALID', problem, { field, value: shownValue(url), remedy });
}
