/** The pixels of a bitmap, as the reference reads them: rows from the bottom, padded to four bytes. */
import type { RgbImage } from '../resize.ts';
import { onWhite } from '../to-rgb.ts';
import type { BmpHeader } from './bmp-header.ts';
import { runsToIndices } from './bmp-runs.ts';

/** @returns undefined when pixels are missing */
export function bmpPixels(bytes: Uint8Array, header: BmpHeader): RgbImage | undefined {
  const { width, height, bits, runs } = header;
  const rowBytes = runs ? width : bmpRowBytes(width, bits);
  const rows = runs
    ? runsToIndices(bytes.subarray(header.pixelsAt), header)
    : bytes.subarray(header.pixelsAt);
  if (rows === undefined || rows.length < rowBytes * height) return undefined;
  const data = new Uint8Array(width * height * 3);
  const write = runs || bits <= 8 ? indexed(bytes, header, data) : direct(header, data);
  for (let y = 0; y < height; y++) {
    const row = rows.subarray(y * rowBytes, (y + 1) * rowBytes);
    write(row, (header.topDown ? y : height - 1 - y) * width * 3);
  }
  return { width, height, data };
}

export function bmpRowBytes(width: number, bits: number): number {
  return Math.ceil((width * bits) / 32) * 4;
}

type WriteRow = (row: Uint8Array, to: number) => void;

function indexed(bytes: Uint8Array, header: BmpHeader, data: Uint8Array): WriteRow {
  const { width, paletteAt, paletteEntryBytes, colours } = header;
  const bits = header.runs ? 8 : header.bits;
  // An index beyond the colours is black.
  const palette = new Uint8Array(256 * 3);
  for (let colour = 0; colour < colours; colour++) {
    const at = paletteAt + colour * paletteEntryBytes;
    for (let part = 0; part < 3; part++) palette[colour * 3 + part] = bytes[at + 2 - part] ?? 0;
  }
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  return (row, start) => {
    let to = start;
    for (let x = 0; x < width; x++) {
      const byte = row[Math.floor(x / perByte)] ?? 0;
      const from = ((byte >> (8 - bits - (x % perByte) * bits)) & mask) * 3;
      data[to++] = palette[from] ?? 0;
      data[to++] = palette[from + 1] ?? 0;
      data[to++] = palette[from + 2] ?? 0;
    }
  };
}

function direct({ width, bits, masks }: BmpHeader, data: Uint8Array): WriteRow {
  const pixelBytes = bits / 8;
  if (bits === 24) {
    return (row, start) => {
      let to = start;
      for (let from = 0; from < width * 3; from += 3) {
        data[to++] = row[from + 2] ?? 0;
        data[to++] = row[from + 1] ?? 0;
        data[to++] = row[from] ?? 0;
      }
    };
  }
  const [red, green, blue, alpha] = masks.map(channel);
  if (red === undefined || green === undefined || blue === undefined || alpha === undefined) return () => {};
  const opaque = masks[3] === 0;
  return (row, start) => {
    let to = start;
    for (let from = 0; from < width * pixelBytes; from += pixelBytes) {
      const low = (row[from] ?? 0) | ((row[from + 1] ?? 0) << 8);
      const pixel =
        pixelBytes === 2 ? low : low | ((row[from + 2] ?? 0) << 16) | ((row[from + 3] ?? 0) << 24);
      const opacity = opaque ? 255 : alpha(pixel);
      data[to++] = onWhite(red(pixel), opacity);
      data[to++] = onWhite(green(pixel), opacity);
      data[to++] = onWhite(blue(pixel), opacity);
    }
  };
}

/** Reads the bits under a mask as 0 to 255, rounded down as the reference does. */
function channel(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (pixel) => Math.floor((((pixel & mask) >>> shift) * 255) / most);
}
