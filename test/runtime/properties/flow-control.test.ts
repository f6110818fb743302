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
      /** Of the sender that waits: whether it lacks messages, or only bytes. */
      let wanted: 'messages' | 'bytes' | undefined;

      for (const one of steps) {
        if (one.do === 'start') {
          const started = waiting.shift();
          if (started === undefined) continue;
          const isWoken = receiver.start(started);
          const isHalfFree = waiting.length <= size.messages >> 1;
          assert.equal(isWoken, wanted === 'bytes' || (wanted === 'messages' && isHalfFree));
          if (isWoken) wanted = undefined;
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
        wanted = waiting.length >= size.messages ? 'messages' : 'bytes';
      }
    }),
    CHECKED,
  );
});
