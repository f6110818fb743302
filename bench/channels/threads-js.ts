/** threads.js: a proxy object whose calls are messages. */
import { EventEmitter } from 'node:events';
import { spawn, Thread, Worker } from 'threads';
import type { EchoChannel, Message } from './channel.ts';

type Api = { echo(message: Message): Message };

export async function openThreadsJs(): Promise<EchoChannel> {
  const worker = new Worker('./threads-js-worker.js');
  // It listens once more for each call, and Node would warn of each.
  if (worker instanceof EventEmitter) worker.setMaxListeners(0);
  const remote = await spawn<Api>(worker);
  return {
    name: 'threads.js',
    echo: (message) => remote.echo(message),
    close: () => Thread.terminate(remote),
  };
}
