/** The least that a round trip can be made of: a port, a counter, a map of promises. No deadline, no flow control. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { EchoChannel, Message } from './channel.ts';

export async function openMessagePort(): Promise<EchoChannel> {
  const worker = new Worker(new URL('./message-port-worker.ts', import.meta.url));
  await once(worker, 'online');
  const waiting = new Map<number, (message: Message) => void>();
  let calls = 0;
  worker.on('message', ({ call, message }: { call: number; message: Message }) => {
    waiting.get(call)?.(message);
    waiting.delete(call);
  });
  return {
    name: 'MessagePort and a map of promises',
    echo: (message) =>
      new Promise((resolve) => {
        const call = calls++;
        waiting.set(call, resolve);
        worker.postMessage({ call, message });
      }),
    close: () => worker.terminate(),
  };
}
