/** piscina with one thread, allowed to queue on it as many calls as are in flight. */
import { Piscina } from 'piscina';
import type { EchoChannel, Message } from './channel.ts';

export async function openPiscina(concurrency: number): Promise<EchoChannel> {
  const pool = new Piscina<Message, Message>({
    filename: new URL('./piscina-worker.ts', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: concurrency,
  });
  return {
    name: 'piscina.run',
    echo: (message) => pool.run(message),
    close: () => pool.destroy(),
  };
}
