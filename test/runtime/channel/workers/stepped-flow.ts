/** One side of a channel's flow control, which a test steps through. */
import { workerData } from 'node:worker_threads';
import { FlowReceiver, FlowSender } from '../../../../runtime/channel/flow-control.ts';
import { runStepped } from '../../support/interleavings/stepped.ts';
import type { Stepped } from '../../support/interleavings/steps.ts';

export interface SteppedFlow extends Stepped {
  readonly side: 'sender' | 'receiver';
  readonly window: number;
  readonly messages: number;
  /** Of each message. More than 0: the window of bytes is full with all of them, that of messages is not. */
  readonly bytes: number;
  /** Times that the sender looks for credit and asks for it. */
  readonly attempts: number;
}

const flow = workerData as SteppedFlow;
const { memory, side, window, messages, bytes, attempts } = flow;

/** Sends until there is no credit and the actor was asked to say when there is. 1: it will have to be woken. */
function send(): number {
  const sender = new FlowSender(memory, { messages: window, kib: Math.max(1, (messages * bytes) / 1024) });
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
  const receiver = new FlowReceiver(memory);
  let wakes = 0;
  for (let begun = 0; begun < messages; begun++) if (receiver.start(bytes)) wakes += 1;
  return wakes;
}

runStepped(flow, side === 'sender' ? send : begin);
