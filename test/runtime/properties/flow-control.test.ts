/** Credits against plain counting: whatever is sent and started, of any size, in any order. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { FlowReceiver, FlowSender } from '../../../runtime/channel/flow-control.ts';
import { CHECKED } from '../support/checked.ts';

const KIB = 1024;
const window = fc.record({ messages: fc.integer({ min: 1, max: 8 }), kib: fc.integer({ min: 1, max: 16 }) });
/** Some larger than any window. */
const bytes = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 24 * KIB }));
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('send' as const), bytes }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('start' as const) }) },
);

it('credit is given exactly where the window has room, and who waits for it is woken once, in time', () => {
  fc.assert(
    fc.property(window, fc.array(step, { maxLength: 120, size: 'max' }), (size, steps) => {
      const buffer = FlowSender.createBuffer();
      const [sender, receiver] = [new FlowSender(buffer, size), new FlowReceiver(buffer)];
      const waiting: number[] = [];
      const kib = () => waiting.reduce((sum, one) => sum + Math.ceil(one / KIB), 0);
      const fits = (more: number) =>
        waiting.length === 0 || (waiting.length < size.messages && kib() + Math.ceil(more / KIB) <= size.kib);
      let started = 0;
      /** When so many are started, who waits is to be woken: when half of what it had sent is, or any if it lacks bytes. */
      let wakeAt: number | undefined;

      for (const one of steps) {
        if (one.do === 'start') {
          const first = waiting.shift();
          if (first === undefined) continue;
          started += 1;
          const isWoken = receiver.start(first);
          assert.equal(isWoken, wakeAt !== undefined && started >= wakeAt);
          if (isWoken) wakeAt = undefined;
          if (waiting.length === 0) assert.equal(wakeAt, undefined, 'nobody waits for an empty mailbox');
          continue;
        }
        assert.equal(sender.hasCredit(one.bytes), fits(one.bytes));
        assert.equal(sender.unstarted, waiting.length);
        if (fits(one.bytes)) {
          sender.spend(one.bytes);
          waiting.push(one.bytes);
          continue;
        }
        sender.requestCredit();
        const isFull = waiting.length >= size.messages;
        wakeAt = isFull ? started + waiting.length - (size.messages >> 1) : started + 1;
      }
    }),
    CHECKED,
  );
});
