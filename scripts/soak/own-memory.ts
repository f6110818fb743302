/** The memory of this process, as Linux counts it. */
import { readFileSync } from 'node:fs';

export interface Memory {
  /** Address space, MB. */
  readonly reserved: number;
  /** Pages of its own, MB: what malloc and V8 hold. */
  readonly anonymous: number;
}

export function memory(): Memory {
  const megabytes = (file: string, field: string): number => {
    const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8')) ?? [];
    if (kilobytes === undefined) throw new Error(`${file} does not tell ${field}`);
    return Math.round(Number(kilobytes) / 1024);
  };
  return {
    reserved: megabytes('/proc/self/status', 'VmSize'),
    anonymous: megabytes('/proc/self/smaps_rollup', 'Anonymous'),
  };
}
