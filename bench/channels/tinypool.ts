/** tinypool with one thread, allowed to queue on it as many calls as are in flight. */
import { Tinypool } from 'tinypool';
import type { EchoChannel, Message } from './channel.ts';

export async function openTinypool(concurrency: number): Promise<EchoChannel> {
  const pool = new Tinypool({
    filename: new URL('./piscina-worker.ts', import.meta.url).href, // a function by default, as piscina's
    runtime: 'worker_threads',
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: concurrency,
  });
  return {
    name: 'tinypool.run',
    echo: (message): Promise<Message> => pool.run(message),
    close: () => pool.destroy(),
  };
}
