/** What a process holds, by the kernel's own account (Linux only). */
import { readFileSync } from 'node:fs';

/** Bytes. */
export interface ProcessMemory {
  /** Resident pages, shared ones and those of mapped files included. */
  readonly rss: number;
  /** Resident pages, of shared ones the process's share. */
  readonly pss: number;
  /** Pages that no file stands behind: heaps, buffers, copies of weights. */
  readonly anonymous: number;
}

/** @param pid default: this process. @throws Error where there is no /proc */
export function processMemory(pid: number | 'self' = 'self'): ProcessMemory {
  const path = `/proc/${pid}/smaps_rollup`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`${path} cannot be read: this suite needs Linux`, { cause });
  }
  const field = (name: string): number => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
    if (kibibytes === undefined) throw new Error(`${path} has no ${name}`);
    return Number(kibibytes) * 1024;
  };
  return { rss: field('Rss'), pss: field('Pss'), anonymous: field('Anonymous') };
}
