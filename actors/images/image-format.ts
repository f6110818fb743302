/**
 * Recognizes an image format by its first bytes, before any decoder sees them. Only formats on this list are ever
 * decoded: vector and document formats (SVG, PDF), which can refer to other files, are not.
 */
export type ImageFormat = 'png' | 'jpeg' | 'gif' | 'webp' | 'tiff' | 'heif' | 'bmp' | 'ico';

/** For messages. HEIF is what AVIF is packed in. */
export const SUPPORTED_FORMATS = 'PNG, JPEG, WebP, GIF, TIFF, AVIF, BMP, ICO';

/** Both byte orders, of TIFF and of BigTIFF. */
const TIFF_STARTS = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'];

/** Brands of ISO media files that hold still images, of whatever codec. */
const STILL_BRANDS =
  /^(avif|avis|avio|mif1|mif2|mif3|msf1|miaf|heic|heix|heim|heis|hevc|hevx|hevm|hevs|jpeg|j2ki|vvic)/;
const MOST_BRANDS = 64;

/** null for anything that is not on the list. */
export function imageFormat(bytes: Uint8Array): ImageFormat | null {
  const start = latin1(bytes, 0, 16);
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (/^GIF8[79]a/.test(start)) return 'gif';
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return 'webp';
  if (TIFF_STARTS.some((mark) => start.startsWith(mark))) return 'tiff';
  if (start.startsWith('BM') && ['\0\0', ''].includes(latin1(bytes, 16, 18))) return 'bmp';
  if (start.startsWith('\0\0\x01\0')) return 'ico';
  if (start.slice(4, 8) === 'ftyp' && brands(bytes).some((brand) => STILL_BRANDS.test(brand))) return 'heif';
  return null;
}

/** Formats that people take for images, or get in the place of one, by how they begin. */
const OTHERS: readonly (readonly [string | RegExp, string])[] = [
  [/^\s*(<\?xml.*?<svg|<svg|<!doctype svg)/is, 'an SVG drawing'],
  [/^\s*(<!doctype html|<html|<head|<body)/i, 'an HTML page'],
  [/^\s*<\?xml/i, 'an XML document'],
  [/^\s*[{[]/, 'text that looks like JSON'],
  [/^data:/i, 'the text of a data: URL, not the bytes in it'],
  ['%PDF-', 'a PDF document'],
  ['%!PS', 'a PostScript document'],
  ['\xff\x0a', 'a JPEG XL image'],
  ['\0\0\0\x0cJXL ', 'a JPEG XL image'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000 image'],
  ['\0\0\0\x0cjP  ', 'a JPEG 2000 image'],
  ['8BPS', 'a Photoshop document'],
  ['qoif', 'a QOI image'],
  ['DDS ', 'a DDS texture'],
  ['\0\0\x02\0', 'a cursor (CUR)'],
  [/^P[1-7]\s/, 'a PNM image'],
  ['v/1\x01', 'an OpenEXR image'],
  ['icns', 'an Apple icon'],
  [/^.{4}ftyp/s, 'a video or another ISO media file'],
  ['\x1aE\xdf\xa3', 'a video (Matroska, WebM)'],
  ['\x1f\x8b', 'a gzip file'],
  ['PK\x03\x04', 'a ZIP archive'],
];

const BYTE_ORDER_MARK = '\xef\xbb\xbf';

/** What bytes of no supported format are, where that is known: `a PDF document`. */
export function otherFormat(bytes: Uint8Array): string | undefined {
  const text = latin1(bytes, 0, 512);
  const start = text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
  const begins = (pattern: string | RegExp) =>
    typeof pattern === 'string' ? start.startsWith(pattern) : pattern.test(start);
  return OTHERS.find(([pattern]) => begins(pattern))?.[1];
}

/** The major brand and the compatible ones. */
function brands(bytes: Uint8Array): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const end = Math.min(bytes.length, a * 2 ** 24 + ((b << 16) | (c << 8) | d), 16 + MOST_BRANDS * 4);
  const found = [latin1(bytes, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) found.push(latin1(bytes, at, at + 4));
  return found;
}

export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
