/**
 * Recognizes an image format by its first bytes, before any decoder sees them. Only formats on this list are ever
 * decoded: vector and document formats (SVG, PDF), which can refer to other files, are not.
 */
export type ImageFormat = 'png' | 'jpeg' | 'gif' | 'webp' | 'tiff' | 'avif';

/** For messages. */
export const SUPPORTED_FORMATS = 'PNG, JPEG, WebP, GIF, TIFF, AVIF';

/** Brands of the ISO media files that hold a still image. */
const STILL_BRANDS = new Set(['avif', 'avis', 'mif1', 'msf1']);

/** null for anything that is not on the list. */
export function imageFormat(bytes: Uint8Array): ImageFormat | null {
  const text = (start: number, end: number): string => String.fromCharCode(...bytes.subarray(start, end));
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (text(0, 3) === '\xff\xd8\xff') return 'jpeg';
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return 'gif';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp';
  if (text(0, 4) === 'II*\0' || text(0, 4) === 'MM\0*') return 'tiff';
  if (text(4, 8) === 'ftyp' && STILL_BRANDS.has(text(8, 12))) return 'avif';
  return null;
}
