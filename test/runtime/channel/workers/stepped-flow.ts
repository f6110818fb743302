/**
 * One side of a channel's flow control, whose every access to the cells waits for leave: so a test decides the order of the
 * accesses of two threads.
 */
import { workerData } from 'node:worker_threads';
import { FlowReceiver, FlowSender } from '../../../../runtime/channel/flow-control.ts';
import { STATE, STEPS, type SteppedFlow } from './steps.ts';

const { flow, steps, side, window, messages, bytes, attempts } = workerData as SteppedFlow;
const { load, store, add, compareExchange, wait, notify } = Atomics;

function announce(state: number): void {
  store(steps, STEPS.state, state);
  notify(steps, STEPS.state);
}

/** Waits for leave, where the access is one to the flow's cells. */
function step(cells: unknown): void {
  if (!(cells instanceof Int32Array) || cells.buffer !== flow) return;
  store(steps, STEPS.leave, 0);
  announce(STATE.atAccess);
  wait(steps, STEPS.leave, 0);
}

Atomics.load = ((cells: Int32Array, at: number) => {
  step(cells);
  return load(cells, at);
}) as typeof Atomics.load;
Atomics.store = ((cells: Int32Array, at: number, value: number) => {
  step(cells);
  return store(cells, at, value);
}) as typeof Atomics.store;
Atomics.add = ((cells: Int32Array, at: number, value: number) => {
  step(cells);
  return add(cells, at, value);
}) as typeof Atomics.add;
Atomics.compareExchange = ((cells: Int32Array, at: number, expected: number, value: number) => {
  step(cells);
  return compareExchange(cells, at, expected, value);
}) as typeof Atomics.compareExchange;

/** Sends until there is no credit and the actor was asked to say when there is. 1: it will have to be woken. */
function send(): number {
  const sender = new FlowSender(flow, { messages: window, kib: Math.max(1, (messages * bytes) / 1024) });
  for (let sent = 0; sent < messages; sent++) sender.spend(bytes);
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (sender.hasCredit(bytes)) return 0;
    sender.requestCredit();
    if (sender.hasCredit(bytes)) return 0;
  }
  return 1;
}

/** Begins everything. The number of times that the client is to be woken. */
function begin(): number {
  const receiver = new FlowReceiver(flow);
  let wakes = 0;
  for (let begun = 0; begun < messages; begun++) if (receiver.start(bytes)) wakes += 1;
  return wakes;
}

for (let round = 0; ; round++) {
  wait(steps, STEPS.round, round);
  store(steps, STEPS.result, side === 'sender' ? send() : begin());
  announce(STATE.done);
}
