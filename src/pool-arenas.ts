/**
 * Gives each thread of libuv's pool an arena of malloc before the threads of an engine come and go.
 *
 * In glibc a thread takes its arena when it first allocates: the one that was given back last, or a new one. A thread of the
 * pool lives as long as the process, and may first be needed at any time. The arena that it then took was the one in which
 * the last engine had loaded its weights, some 38 MB, and the next engine grew another (docs/architecture.md, *Engines
 * that come and go*).
 */
import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

/** libuv's own default and bound: https://docs.libuv.org/en/v1.x/threadpool.html */
const DEFAULT_THREADS = 4;
const MOST_THREADS = 1024;
/**
 * Some 10 ms of work. It has to keep a thread busy until all others are awake, on fewer cores than threads too: longer than a turn
 * of Linux' scheduler, which is 3 ms.
 */
const ITERATIONS = 20_000;

let taken: Promise<void> | undefined;

/** Once in a process; does nothing where malloc is not glibc's. Never rejects. */
export function takePoolArenas(): Promise<void> {
  taken ??=
    process.platform === 'linux' ? occupyAll(poolThreads(process.env.UV_THREADPOOL_SIZE)) : Promise.resolve();
  return taken;
}

/** As many threads as libuv makes for that setting. */
export function poolThreads(setting: string | undefined): number {
  if (setting === undefined) return DEFAULT_THREADS;
  const threads = Number.parseInt(setting, 10); // `atoi`
  return Math.min(Math.max(Number.isNaN(threads) ? 0 : threads, 1), MOST_THREADS);
}

/** Work for all threads at once. */
async function occupyAll(threads: number): Promise<void> {
  const work = Array.from({ length: threads }, () => promisify(pbkdf2)('', '', ITERATIONS, 64, 'sha512'));
  await Promise.allSettled(work);
}
