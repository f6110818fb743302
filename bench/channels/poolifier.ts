/** poolifier with one thread. */
import { fileURLToPath } from 'node:url';
import { FixedThreadPool } from 'poolifier';
import type { EchoChannel, Message } from './channel.ts';

export async function openPoolifier(): Promise<EchoChannel> {
  const module = fileURLToPath(new URL('./poolifier-worker.ts', import.meta.url));
  const pool = new FixedThreadPool<Message, Message>(1, module);
  return {
    name: 'poolifier.execute',
    echo: (message) => pool.execute(message),
    close: () => pool.destroy(),
  };
}
