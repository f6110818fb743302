/**
 * Something that one thread of a process may have at a time, by name. It is Node's lock manager, which all threads of
 * a process share: a lock ends with the thread that has it, however that thread ends.
 */
import * as threads from 'node:worker_threads';
import { TroupeError } from '../errors.ts';
import { after } from '../util/timers.ts';

/** Gives the lock back. Safe to call twice. */
export type Unlock = () => void;

/**
 * Takes the lock, waiting for whoever has it at most `waitMs` milliseconds.
 *
 * @returns undefined when it was not free in time
 * @throws TroupeError `NODE_TOO_OLD` where Node has no lock manager (before 24.5)
 */
export async function takeProcessLock(name: string, waitMs: number): Promise<Unlock | undefined> {
  const locks = lockManager();
  const taken = Promise.withResolvers<Unlock | undefined>();
  const given = Promise.withResolvers<void>();
  const patience = new AbortController();
  const timer = after(waitMs, () => patience.abort());
  const held = locks.request(name, { signal: patience.signal }, () => {
    clearTimeout(timer);
    taken.resolve(() => given.resolve());
    return given.promise;
  });
  held.catch((error: unknown) => {
    if (patience.signal.aborted) taken.resolve(undefined);
    else taken.reject(error);
  });
  try {
    return await taken.promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a thread of this process has the lock now. @throws as `takeProcessLock` */
export async function isProcessLocked(name: string): Promise<boolean> {
  // Not by `query`: Node 24.21 lists the locks of the calling thread alone.
  return await lockManager().request(name, { ifAvailable: true }, (lock) => lock === null);
}

function lockManager(): typeof threads.locks {
  const { locks } = threads;
  // Older versions of Node that the package runs on have none, whatever the types say.
  if (locks as unknown) return locks;
  throw new TroupeError(
    `Node ${process.versions.node} has no locks between threads. Use Node 24.5 or newer`,
    {
      code: 'NODE_TOO_OLD',
      details: { value: process.versions.node, remedy: 'Use Node 24.5 or newer' },
    },
  );
}
