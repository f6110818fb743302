/** The least that it can be made of: a port. Nothing bounds what is under way, and nobody can interrupt it. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FlowChannel } from './channel.ts';
import type { FlowOrder } from './message-port-flow-worker.ts';

export async function openMessagePortFlow(): Promise<FlowChannel> {
  const worker = new Worker(new URL('./message-port-flow-worker.ts', import.meta.url));
  await once(worker, 'online');
  const post = (order: FlowOrder, transfer: readonly ArrayBuffer[] = []) =>
    worker.postMessage(order, transfer);
  return {
    name: 'MessagePort',
    tell(message, count) {
      for (let i = 1; i <= count; i++) post({ kind: 'told', message, isLast: i === count });
      return once(worker, 'message');
    },
    read: (count) =>
      new Promise<void>((resolve) => {
        let read = 0;
        const onItem = () => {
          read += 1;
          if (read < count) return;
          worker.off('message', onItem);
          resolve();
        };
        worker.on('message', onItem);
        post({ kind: 'read', count });
      }),
    async move(buffer) {
      const back = once(worker, 'message');
      post({ kind: 'move', buffer }, [buffer]);
      return (await back)[0];
    },
    close: () => worker.terminate(),
  };
}
