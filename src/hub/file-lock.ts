/**
 * A lock between processes: a file that its holder makes, touches again and again, and removes. Node has no locks of the
 * system's own. One that is left behind by a process that was killed is taken over: at once where the process can be seen
 * to be gone, else when nobody has touched it for a while by the clock of who waits, for the clocks of two machines differ.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { abortedBy } from '../../runtime/util/aborted.ts';
import { errorCodeOf } from '../../runtime/util/realms.ts';
import { pause } from '../../runtime/util/timers.ts';

const TOUCH_EVERY_MS = 3_000;
/** Some touches may be late on a busy machine. */
const FORSAKEN_AFTER_MS = 20_000;
const LOOK_EVERY_MS = 200;

export interface FileLockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, when somebody else has it. */
  readonly onWait?: () => void;
}

/** Runs the work with the lock. @throws what the work throws; the system's error; `ABORTED` */
export async function withFileLock<T>(
  path: string,
  { signal, onWait }: FileLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const own = JSON.stringify({ host: hostname(), pid: process.pid, token: randomUUID() });
  await mkdir(dirname(path), { recursive: true });
  await take(path, own, { signal, ...(onWait && { onWait }) });
  const touching = setInterval(() => void touch(path), TOUCH_EVERY_MS);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    // Not another's, who took it over while this process was stopped.
    if ((await contentOf(path)) === own) await rm(path, { force: true });
  }
}

async function take(path: string, own: string, { signal, onWait }: FileLockOptions): Promise<void> {
  let watched: { readonly state: string; readonly sinceMs: number } | undefined;
  for (;;) {
    if (await made(path, own)) return;
    const holder = await contentOf(path);
    if (holder === undefined) continue; // given back meanwhile
    const state = `${holder} ${await touchedAt(path)}`;
    if (watched?.state !== state) watched = { state, sinceMs: performance.now() };
    const isForsaken = performance.now() - watched.sinceMs > FORSAKEN_AFTER_MS;
    if (isForsaken || isHolderGone(holder)) {
      await takeAway(path, holder);
      continue;
    }
    onWait?.();
    onWait = undefined;
    if (!(await pause(LOOK_EVERY_MS, signal))) throw abortedBy(signal, 'the wait for another process');
  }
}

/** Written under another name first: nobody sees a lock without its holder. */
async function made(path: string, own: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, own);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false;
    // A file system without links: the same, save that its holder is seen a moment later.
    return await writeFile(path, own, { flag: 'wx' }).then(
      () => true,
      (cause: unknown) => {
        if (errorCodeOf(cause) === 'EEXIST') return false;
        throw cause;
      },
    );
  } finally {
    await rm(draft, { force: true });
  }
}

/** Of several who find it forsaken, one takes it away; who took away another's new one puts it back. */
async function takeAway(path: string, holder: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if ((await contentOf(aside)) !== holder) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

function isHolderGone(holder: string): boolean {
  const match = /^\{"host":(".*"),"pid":(\d+),/.exec(holder);
  if (match?.[1] !== JSON.stringify(hostname())) return false;
  try {
    process.kill(Number(match[2]), 0);
    return false;
  } catch (error) {
    return errorCodeOf(error) === 'ESRCH';
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}

async function touchedAt(path: string): Promise<number> {
  return await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined); // taken away: seen at the end
}
