// Loaded before anything else in each actor's thread; it does to the thread what the soak asks for. JavaScript: it must not
// make the thread load what strips types.
import { BroadcastChannel, workerData } from 'node:worker_threads';

const orders = new BroadcastChannel('chaos');

function exhaustHeap() {
  const kept = [];
  for (;;) kept.push(new Array(1_000).fill({ kept }));
}

const FAULTS = {
  throw: () =>
    setImmediate(() => {
      throw new Error('chaos: thrown');
    }),
  rejection: () => void Promise.reject(new Error('chaos: rejected')),
  exit: () => process.exit(3),
  heap: exhaustHeap,
  loop() {
    for (;;);
  },
};

orders.onmessage = ({ data: { actor, fault } }) => {
  if (actor === workerData?.name) FAULTS[fault]();
};
orders.unref();
