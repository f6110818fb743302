/** The bytes in a data URL (RFC 2397): `data:image/png;base64,iVBORw0…`, or percent-encoded without `;base64`. */
import { InputError } from '../errors.ts';
import { tooManyBytes } from './image-limits.ts';
import { shownValue } from './shown-value.ts';

const HEADER = /^data:[^,]*,/i;
/** A media type that says it is something else is believed; one that says image is not: the bytes decide. */
const OTHER_TYPE = /^data:\s*(?!image\/|[;,\s])/i;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** @throws InputError IMAGE_DATA_URL_INVALID, IMAGE_TOO_LARGE_BYTES */
export function decodeDataUrl(url: string, field: string, maxBytes: number): Uint8Array {
  const header = HEADER.exec(url)?.[0];
  if (header === undefined || OTHER_TYPE.test(header)) throw invalid(url, field);
  const payload = url.slice(header.length);
  if (/;\s*base64\s*,$/i.test(header)) return decodeBase64(payload, url, field, maxBytes);
  if (payload.length > maxBytes * 3) throw tooManyBytes(field, Math.ceil(payload.length / 3), maxBytes);
  return decodePercent(payload, url, field);
}

function decodeBase64(payload: string, url: string, field: string, maxBytes: number): Uint8Array {
  const encoded = payload.includes('%') ? decodeText(payload, url, field) : payload;
  const digits = encoded.replace(/\s+/g, '');
  const size = Math.floor((digits.length * 3) / 4);
  // Two padding characters at most: with them counted in, the size is over by 2.
  if (size - 2 > maxBytes) throw tooManyBytes(field, size, maxBytes);
  // `Buffer.from` drops what it cannot read, so what it can read is checked first.
  if (!BASE64.test(digits) || digits.replace(/=+$/, '').length % 4 === 1) throw invalid(url, field);
  return Buffer.from(digits, 'base64');
}

function decodePercent(payload: string, url: string, field: string): Uint8Array {
  if (/%(?![0-9a-f]{2})/i.test(payload) || /[^\0-\xff]/.test(payload)) throw invalid(url, field);
  const text = payload.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(text, 'latin1');
}

function decodeText(payload: string, url: string, field: string): string {
  try {
    return decodeURIComponent(payload);
  } catch (cause) {
    throw invalid(url, field, cause);
  }
}

function invalid(url: string, field: string, cause?: unknown): InputError {
  const remedy = 'Write it as data:image/png;base64, followed by the encoded bytes.';
  return new InputError(
    'IMAGE_DATA_URL_INVALID',
    'is no valid data URL',
    { field, value: shownValue(url), remedy },
    cause,
  );
}
