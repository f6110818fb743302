/** Every order in which an actor that begins and ends tells, and a client that looks which are under way, can follow each other. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { FlowSender } from '../../../runtime/channel/flow-control.ts';
import { everyOrder, Side } from '../support/interleavings/every-order.ts';
import type { SteppedTells } from './workers/stepped-tells.ts';

const SIDE = new URL('./workers/stepped-tells.ts', import.meta.url);

for (const [what, script, unended] of [
  ['one after the other', [0, 0, 1, 1, 2], [2]],
  ['several at once', [0, 1, 0, 2], [1, 2]],
] as const) {
  describe(`tells that an actor begins ${what}`, () => {
    const memory = FlowSender.createBuffer();
    const of = (side: SteppedTells['side']) => {
      const data: Omit<SteppedTells, 'steps'> = { memory, side, script };
      return new Side(SIDE, data);
    };
    const [actor, client] = [of('actor'), of('client')];
    after(() => Promise.all([actor.end(), client.end()]));

    it('are seen to be under way, if they have begun and do not end, in every order of the accesses', () => {
      const sent = Math.max(...script) + 1;
      const counts = new Set<number>();
      everyOrder([actor, client], memory, (order) => {
        const started = client.result >> sent;
        counts.add(started);
        for (const number of unended) {
          const isSeen = (client.result & (1 << number)) !== 0;
          assert(isSeen || number >= started, `not ${number} of ${started} in the order ${order}`);
        }
      });
      assert.deepEqual([...counts].toSorted(), [0, 1, 2, 3]);
    });
  });
}
