/** threads.js: a proxy object whose calls are messages. */
import { spawn, Thread, Worker } from 'threads';
import type { EchoChannel, Message } from './channel.ts';

type Api = { echo(message: Message): Message };

export async function openThreadsJs(): Promise<EchoChannel> {
  const remote = await spawn<Api>(new Worker('./threads-js-worker.js'));
  return {
    name: 'threads.js',
    echo: (message) => remote.echo(message),
    close: () => Thread.terminate(remote),
  };
}
