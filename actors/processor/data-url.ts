/** The bytes in a data URL (RFC 2397): `data:image/png;base64,iVBORw0…`, or percent-encoded without `;base64`. */
import { InputError } from '../errors.ts';
import { tooManyBytes } from './image-limits.ts';
import { shownValue } from './shown-value.ts';

const HEADER = /^data:([^,]*),/i;
/** The bytes decide what an image is; a type that says it is something else is believed all the same. */
const IMAGE_TYPE = /^(image\/.*|\w+\/octet-stream|application\/unknown|\*\/\*|[^/]*)$/;
const BASE64_PARAMETER = /;\s*base64\s*(;|$)/i;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const PERCENT = 0x25;

/** @throws InputError IMAGE_DATA_URL_INVALID, IMAGE_TOO_LARGE_BYTES */
export function decodeDataUrl(url: string, field: string, maxBytes: number): Uint8Array {
  const [start, header] = HEADER.exec(url) ?? [];
  if (start === undefined || header === undefined) throw invalid(url, field, 'is no valid data URL');
  const type = header.split(';', 1).join('').trim().toLowerCase();
  if (!IMAGE_TYPE.test(type)) throw invalid(url, field, `is a data URL of the type ${shownValue(type)}`);
  const payload = url.slice(start.length);
  if (BASE64_PARAMETER.test(header)) return decodeBase64(payload, url, field, maxBytes);
  if (payload.length > maxBytes * 3) throw tooManyBytes(field, Math.ceil(payload.length / 3), maxBytes);
  return decodePercent(payload, url, field);
}

function decodeBase64(payload: string, url: string, field: string, maxBytes: number): Uint8Array {
  const encoded = payload.includes('%') ? decodePercent(payload, url, field).toString('latin1') : payload;
  const digits = encoded.replace(/\s+/g, '');
  const size = Math.floor((digits.length * 3) / 4);
  // Two padding characters at most: with them counted in, the size is over by 2.
  if (size - 2 > maxBytes) throw tooManyBytes(field, size, maxBytes);
  // `Buffer.from` drops what it cannot read, so what it can read is checked first.
  if (!BASE64.test(digits) || digits.replace(/=+$/, '').length % 4 === 1) {
    throw invalid(url, field, 'is a data URL whose bytes are no valid base64');
  }
  return Buffer.from(digits, 'base64');
}

function decodePercent(payload: string, url: string, field: string): Buffer {
  const text = Buffer.from(payload, 'latin1');
  const bytes = Buffer.alloc(text.length);
  let to = 0;
  for (let from = 0; from < text.length; from++) {
    let byte = text[from] ?? 0;
    if (byte === PERCENT) {
      byte = hexDigit(text[from + 1]) * 16 + hexDigit(text[from + 2]);
      if (Number.isNaN(byte)) throw invalid(url, field, 'is a data URL with an incomplete %-sequence');
      from += 2;
    }
    bytes[to++] = byte;
  }
  // What has more than 8 bits was cut above.
  if (/[^\0-\xff]/.test(payload))
    throw invalid(url, field, 'is a data URL with characters that are no bytes');
  return bytes.subarray(0, to);
}

function hexDigit(code = 0): number {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return digit === -1 ? Number.NaN : digit;
}

function invalid(url: string, field: string, problem: string): InputError {
  const remedy = 'Write it as data:image/png;base64, followed by the encoded bytes.';
  return new InputError('IMAGE_DATA_URL_INVALID', problem, { field, value: shownValue(url), remedy });
}
