/** Bodies that a host sends compressed though nobody asked. What comes out is bounded like what comes in. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';

type Decode = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

const zlibInflate: Decode = promisify(inflate);
const rawInflate: Decode = promisify(inflateRaw);
const decodeGzip: Decode = promisify(gunzip);
/** `deflate` means a zlib stream; some hosts send the bare one. */
const decodeDeflate: Decode = (bytes, options) =>
  ((bytes[0] ?? 0) & 15) === 8 ? zlibInflate(bytes, options) : rawInflate(bytes, options);

const DECODERS: ReadonlyMap<string, Decode> = new Map([
  ['gzip', decodeGzip],
  ['x-gzip', decodeGzip],
  ['deflate', decodeDeflate],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
]);

/** One is odd for an image already. */
const MOST_ENCODINGS = 2;

type Header = string | readonly string[] | undefined;

export class UnknownEncodingError extends Error {}

/** What was done to a body, in that order; none when it is as it is. */
export function contentEncodings(header: Header): readonly string[] {
  const names = [header ?? []].flat().join(',').toLowerCase().split(',');
  return names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity');
}

/**
 * @throws UnknownEncodingError; RangeError when more than `maxBytes` would come out; what zlib throws when it is broken
 */
export async function decodeContent(
  bytes: Uint8Array,
  encodings: readonly string[],
  maxBytes: number,
): Promise<Uint8Array> {
  let content = bytes;
  for (const name of [...encodings].reverse()) {
    const decode = DECODERS.get(name);
    if (decode === undefined || encodings.length > MOST_ENCODINGS) {
      throw new UnknownEncodingError(encodings.join(', '));
    }
    content = await decode(content, { maxOutputLength: maxBytes });
  }
  return content;
}
