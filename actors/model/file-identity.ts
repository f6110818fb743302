/** Whether a file is as it was, told without reading it. */
import { stat } from 'node:fs/promises';

/** File systems tell times apart by some milliseconds, some by two seconds: what was written just now may yet change unseen. */
const SETTLED_AFTER_MS = 3_000;

export interface FileIdentity {
  /** Number, size and times, the one that nobody can set included. Without the device, whose number may change at a restart. */
  readonly text: string;
  readonly device: bigint;
  readonly bytes: number;
  /** Whoever changes the file from now on changes `text`. */
  readonly settled: boolean;
}

export async function identityOf(path: string): Promise<FileIdentity> {
  const { dev: device, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true });
  const settled = Date.now() - Number(ctimeMs) >= SETTLED_AFTER_MS;
  return { text: [ino, size, mtimeNs, ctimeNs].join(':'), device, bytes: Number(size), settled };
}
