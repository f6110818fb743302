/** Starts the watcher; `end` gives what it has seen. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Watched } from './watcher.ts';

export async function watch(url: string): Promise<{ end(): Promise<Watched> }> {
  const bare = fork(new URL('./bare-server.ts', import.meta.url));
  const [bareUrl] = await once(bare, 'message');
  const worker = new Worker(new URL('./watcher.ts', import.meta.url), { workerData: { url, bareUrl } });
  return {
    async end() {
      worker.postMessage('end');
      const [watched]: Watched[] = await once(worker, 'message');
      await worker.terminate();
      bare.disconnect();
      if (watched === undefined) throw new Error('the watcher saw nothing');
      return watched;
    },
  };
}

/** @param sorted ascending */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
