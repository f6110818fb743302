/** comlink: a proxy object whose calls are messages. */
import { Worker } from 'node:worker_threads';
import { releaseProxy, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { EchoChannel } from './channel.ts';
import type { ComlinkEcho } from './comlink-worker.ts';

export async function openComlink(): Promise<EchoChannel> {
  const worker = new Worker(new URL('./comlink-worker.ts', import.meta.url));
  const remote = wrap<ComlinkEcho>(nodeEndpoint(worker));
  return {
    name: 'comlink',
    echo: (message) => remote.echo(message),
    close: async () => {
      remote[releaseProxy]();
      await worker.terminate();
    },
  };
}
