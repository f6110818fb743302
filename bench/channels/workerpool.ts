/** workerpool with one thread. It keeps a queue of its own and gives its worker one task at a time. */
import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import type { EchoChannel } from './channel.ts';

export async function openWorkerpool(): Promise<EchoChannel> {
  const module = fileURLToPath(new URL('./workerpool-worker.ts', import.meta.url));
  const pool = workerpool.pool(module, { minWorkers: 1, maxWorkers: 1, workerType: 'thread' });
  return {
    name: 'workerpool.exec',
    echo: async (message) => await pool.exec('echo', [message]),
    close: async () => await pool.terminate(),
  };
}
