/** comlink: a proxy object whose calls are messages. */
import { MessageChannel, Worker } from 'node:worker_threads';
import { releaseProxy, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { EchoChannel } from './channel.ts';
import type { ComlinkEcho } from './comlink-worker.ts';

export async function openComlink(): Promise<EchoChannel> {
  const { port1, port2 } = new MessageChannel();
  const module = new URL('./comlink-worker.ts', import.meta.url);
  const worker = new Worker(module, { workerData: port2, transferList: [port2] });
  const remote = wrap<ComlinkEcho>(nodeEndpoint(port1));
  return {
    name: 'comlink',
    echo: (message) => remote.echo(message),
    close: async () => {
      remote[releaseProxy]();
      await worker.terminate();
    },
  };
}
