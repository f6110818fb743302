/**
 * The first frame of an animated WebP as an animation of one frame: what decoders do for each frame of a file, even to
 * count them, grows with the square of their number. Also says what shows where that frame leaves the canvas empty.
 */
import type { FirstFrame } from './first-frame.ts';

const CHUNK_HEAD = 8;
const ANIMATION = 2;
const ALPHA = 16;
const WHITE = [255, 255, 255] as const;
/** An animation that says it has no transparency has none: the reference leaves its empty canvas black. */
const BLACK = [0, 0, 0] as const;

/** @returns the file as it is when it is no animation; undefined when it has no complete frame */
export function webpFirstFrame(bytes: Uint8Array): FirstFrame | undefined {
  const flags = bytes[20] ?? 0;
  const extended =
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', 12, 16) === 'VP8X';
  if (!extended || (flags & ANIMATION) === 0) return { bytes, background: WHITE };
  const parts: Uint8Array[] = [bytes.subarray(0, 12)];
  let at = 12;
  while (at + CHUNK_HEAD <= bytes.length) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 4, true);
    const end = at + CHUNK_HEAD + length + (length % 2);
    const chunk = bytes.subarray(at, end);
    if (name === 'VP8X' || name === 'ANIM') parts.push(chunk);
    if (name === 'ANMF') {
      if (end - (length % 2) > bytes.length) return undefined;
      return { bytes: joined([...parts, chunk]), background: (flags & ALPHA) === 0 ? BLACK : WHITE };
    }
    at = end;
  }
  return undefined;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const file = Buffer.concat(parts);
  file.writeUInt32LE(file.length - CHUNK_HEAD, 4);
  return file;
}
