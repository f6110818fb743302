/** Reads files of any size: `readFile` refuses more than 2 GiB. */
import { open } from 'node:fs/promises';

/** Of one call, bytes: the system takes no more than 2 GiB. */
const MOST_AT_ONCE = 256 * 1024 * 1024;

/** @throws the system's error; RangeError when the file ends before its size */
export async function readWhole(path: string): Promise<Uint8Array> {
  await using file = await open(path);
  const { size } = await file.stat();
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(MOST_AT_ONCE, size - at), at);
    if (bytesRead === 0) throw new RangeError(`${path} ends at byte ${at} of ${size}`);
    at += bytesRead;
  }
  return bytes;
}
