import { parentPort } from 'node:worker_threads';
import type { Message } from './channel.ts';

export type FlowOrder =
  | { readonly kind: 'told'; readonly message: Message; readonly isLast: boolean }
  | { readonly kind: 'read'; readonly count: number }
  | { readonly kind: 'move'; readonly buffer: ArrayBuffer };

parentPort?.on('message', (order: FlowOrder) => {
  if (order.kind === 'told') {
    if (order.isLast) parentPort?.postMessage('taken');
  } else if (order.kind === 'read') {
    for (let id = 1; id <= order.count; id++) parentPort?.postMessage({ id, text: 'an item of some length' });
  } else parentPort?.postMessage(order.buffer, [order.buffer]);
});
