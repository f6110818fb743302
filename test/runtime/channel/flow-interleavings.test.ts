/**
 * Every order in which the accesses of a sender and of an actor to the cells of one channel can follow each other: a sender
 * that found no credit is woken, whatever the order.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { FlowSender } from '../../../runtime/channel/flow-control.ts';
import { everyOrder, Side } from '../support/interleavings/every-order.ts';
import type { SteppedFlow } from './workers/stepped-flow.ts';

const SIDE = new URL('./workers/stepped-flow.ts', import.meta.url);

/** Sizes at which all orders are some thousands. */
const CASES = [
  { window: 1, messages: 1, bytes: 0, attempts: 1 },
  { window: 2, messages: 2, bytes: 0, attempts: 1 },
  { window: 3, messages: 3, bytes: 0, attempts: 1 },
  { window: 1, messages: 1, bytes: 0, attempts: 2 },
  { window: 8, messages: 1, bytes: 1024, attempts: 1 },
  { window: 8, messages: 2, bytes: 1024, attempts: 1 },
];

for (const { window, messages, bytes, attempts } of CASES) {
  const what = bytes === 0 ? `a window of ${window}` : `room for the bytes of ${messages}`;
  describe(`flow control with ${what}, whose sender asks ${attempts === 1 ? 'once' : 'twice'}`, () => {
    const memory = FlowSender.createBuffer();
    const of = (side: SteppedFlow['side']) => {
      const data: Omit<SteppedFlow, 'steps'> = { memory, side, window, messages, bytes, attempts };
      return new Side(SIDE, data);
    };
    const [sender, receiver] = [of('sender'), of('receiver')];
    after(() => Promise.all([sender.end(), receiver.end()]));

    it('wakes a sender without credit, in every order of the accesses, and no more often than it asked', () => {
      let woken = 0;
      const orders = everyOrder([sender, receiver], memory, (order) => {
        // One that found credit after all may be woken for nothing.
        const isWoken = receiver.result >= sender.result && receiver.result <= attempts;
        assert(isWoken, `in the order ${order}`);
        woken += sender.result;
      });
      assert(woken > 0 && woken < orders, `${woken} of ${orders} orders end with a wait`);
    });
  });
}
