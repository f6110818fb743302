/**
 * The first frame of a GIF as a GIF of its own, so that what an animation costs does not grow with its frames. The
 * reference shows that frame on the whole canvas: what it leaves out has the first colour of the table, or is
 * transparent where the frame has transparency; a frame that sticks out makes the canvas larger; without any table
 * of colours an index is a level of grey.
 */
import type { FirstFrame } from './first-frame.ts';

const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const IMAGE = 0x2c;
const TRAILER = 0x3b;
const HEADER_BYTES = 13;
const WHITE = [255, 255, 255] as const;

/** @returns undefined when there is no complete frame */
export function gifFirstFrame(bytes: Uint8Array): FirstFrame | undefined {
  const at = { position: HEADER_BYTES + tableBytes(bytes[10] ?? 0) };
  let control: Uint8Array | undefined;
  while (at.position < bytes.length) {
    const start = at.position;
    const kind = bytes[start];
    if (kind === EXTENSION) {
      at.position += 2;
      if (!skipBlocks(bytes, at)) return undefined;
      if (bytes[start + 1] === GRAPHIC_CONTROL) control = bytes.subarray(start, at.position);
    } else if (kind === IMAGE) {
      at.position += 10 + tableBytes(bytes[start + 9] ?? 0) + 1;
      if (!skipBlocks(bytes, at)) return undefined;
      return alone(bytes, control, bytes.subarray(start, at.position));
    } else if (kind === TRAILER) {
      return undefined;
    } else at.position += 1; // stray bytes between blocks are skipped, as the reference does
  }
  return undefined;
}

function alone(bytes: Uint8Array, control: Uint8Array | undefined, image: Uint8Array): FirstFrame {
  const transparent = ((control?.[3] ?? 0) & 1) === 1;
  const global = bytes.subarray(0, HEADER_BYTES + tableBytes(bytes[10] ?? 0));
  const flags = image[9] ?? 0;
  const hasTable = tableBytes(flags) > 0 || global.length > HEADER_BYTES;
  const head = hasTable ? global : withGreyTable(global, image[10] ?? 0);
  const joined = Buffer.concat([head, control ?? new Uint8Array(), image, Uint8Array.of(TRAILER)]);
  const view = new DataView(joined.buffer, joined.byteOffset);
  // The frame fills a canvas of its own.
  const image0 = head.length + (control?.length ?? 0);
  for (const [screen, length] of [
    [6, 5],
    [8, 7],
  ] as const)
    view.setUint16(screen, u16(image, length), true);
  view.setUint32(image0 + 1, 0, true);
  const colours = tableBytes(flags) > 0 ? image.subarray(10) : head.subarray(HEADER_BYTES);
  const [red = 0, green = 0, blue = 0] = colours;
  const [left, top] = [u16(image, 1), u16(image, 3)];
  return {
    bytes: joined,
    background: transparent ? WHITE : [red, green, blue],
    canvas: {
      ...{ left, top },
      width: Math.max(u16(bytes, 6), left + u16(image, 5)),
      height: Math.max(u16(bytes, 8), top + u16(image, 7)),
    },
  };
}

/** @param codeBits of the frame's data: indices have no more */
function withGreyTable(header: Uint8Array, codeBits: number): Uint8Array {
  const bits = Math.min(8, Math.max(1, codeBits));
  const table = Uint8Array.from({ length: 3 << bits }, (_, i) => Math.floor(i / 3));
  const head = Buffer.concat([header, table]);
  head[10] = 0x80 | (bits - 1);
  return head;
}

/** Of a colour table, by the flags that announce it. */
function tableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1);
}

/** Past the data blocks from `at`, the empty one that ends them included. False when they are cut off. */
function skipBlocks(bytes: Uint8Array, at: { position: number }): boolean {
  for (;;) {
    const length = bytes[at.position];
    if (length === undefined) return false;
    at.position += length + 1;
    if (length === 0) return true;
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}
