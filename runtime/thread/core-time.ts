/** How long a thread has had a core, and how long it waited for one, as Linux counts it. Elsewhere nobody says. */
import { readFileSync, readlinkSync } from 'node:fs';

export interface CoreTime {
  readonly ranMs: number;
  readonly waitedMs: number;
}

/** The system's id of the calling thread; 0 where it cannot be told. */
export function systemThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || 0;
  } catch {
    return 0;
  }
}

/** Of a thread of this process. Reads no disk. */
export function coreTimeOf(threadId: number): CoreTime | undefined {
  if (threadId === 0) return undefined;
  try {
    const [ran = 0, waited = 0] = readFileSync(`/proc/self/task/${threadId}/schedstat`, 'utf8')
      .split(' ')
      .map(Number);
    return { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
  } catch {
    return undefined; // it has ended, or the kernel does not count
  }
}
