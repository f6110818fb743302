import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Delivery } from '../../../runtime/actor/delivery.ts';
import { Inlet } from '../../../runtime/actor/inlet.ts';
import { MOST_OVERTAKING, WaitingLines } from '../../../runtime/actor/waiting-lines.ts';
import { PRIORITIES, type Priority } from '../../../runtime/channel/priority.ts';
import { InProcessTransport } from '../../../runtime/transport/in-process.ts';
import { channelMemory } from '../support/channel-memory.ts';
import { CHECKED } from '../support/checked.ts';

const [port] = InProcessTransport.pair();
const inlet = new Inlet({ port, ...channelMemory() }, { holder: 1, onDelivery() {}, onClose() {} });

function delivery(priority: Priority): Delivery {
  const message = { t: 'tell', method: 'note', payload: undefined, bytes: 0, priority } as const;
  return new Delivery(inlet, message, undefined);
}

describe('what waits in a mailbox', () => {
  it('is taken by priority', () => {
    const lines = new WaitingLines();
    for (const priority of ['low', 'normal', 'high', 'normal', 'high'] as const)
      lines.push(delivery(priority));
    const taken = Array.from({ length: 5 }, () => lines.shift()?.priority);
    assert.deepEqual(taken, ['high', 'high', 'normal', 'normal', 'low']);
    assert.equal(lines.shift(), undefined);
  });

  it('is overtaken by so many, and then gets on, however many that are more urgent wait', () => {
    const lines = new WaitingLines();
    lines.push(delivery('low'));
    lines.push(delivery('normal'));
    lines.push(delivery('normal'));
    for (let i = 0; i < 100; i++) lines.push(delivery('high'));
    const taken = Array.from({ length: 40 }, () => lines.shift()?.priority);
    assert.equal(taken.indexOf('low'), MOST_OVERTAKING);
    assert.equal(taken.indexOf('normal'), MOST_OVERTAKING + 1);
    assert.equal(taken.lastIndexOf('normal'), 2 * MOST_OVERTAKING + 2);
  });

  it('never waits for more than that, comes what may', () => {
    const step = fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...PRIORITIES) },
      { weight: 1, arbitrary: fc.constant('take' as const) },
      { weight: 2, arbitrary: fc.constant('high' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 300, size: 'max' }), (steps) => {
        const lines = new WaitingLines();
        const waiting: Record<Priority, Delivery[]> = { high: [], normal: [], low: [] };
        const overtaken: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
        for (const one of [...steps, ...steps.map(() => 'take' as const)]) {
          if (one !== 'take') {
            const pushed = delivery(one);
            waiting[one].push(pushed);
            lines.push(pushed);
            continue;
          }
          const taken = lines.shift();
          for (const priority of PRIORITIES) {
            const isTaken = taken?.priority === priority;
            if (isTaken) assert.equal(taken, waiting[priority].shift(), 'in order');
            overtaken[priority] = isTaken || waiting[priority].length === 0 ? 0 : overtaken[priority] + 1;
          }
          assert(overtaken.normal <= MOST_OVERTAKING + 1 && overtaken.low <= MOST_OVERTAKING + 1);
          assert(overtaken.high <= 2);
          assert.equal(lines.size, waiting.high.length + waiting.normal.length + waiting.low.length);
        }
        assert.equal(lines.size, 0);
      }),
      CHECKED,
    );
  });
});
