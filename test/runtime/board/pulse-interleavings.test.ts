/**
 * Every order in which a thread that goes into native code and out of it, and a supervisor that gives it up, can follow each
 * other at the cell that both move.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { STATE as STATE_CELL } from '../../../runtime/board/pulse.ts';
import { everyOrder, Side } from '../support/interleavings/every-order.ts';
import { FATE, FLAGS, type SteppedPulse, THREAD } from './workers/pulse-sides.ts';

const SIDE = new URL('./workers/stepped-pulse.ts', import.meta.url);
/** A slot of the load board. */
const CELLS = 16;

for (const { calls, depth } of [
  { calls: 1, depth: 1 },
  { calls: 3, depth: 1 },
  { calls: 2, depth: 2 },
]) {
  describe(`a thread that is given up, at ${calls} × ${depth} calls of native code`, () => {
    const memory = new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT);
    const flags = new Int32Array(new SharedArrayBuffer(16));
    const of = (side: SteppedPulse['side']) => {
      const data: Omit<SteppedPulse, 'steps'> = { memory, cells: [STATE_CELL], side, calls, depth, flags };
      return new Side(SIDE, data);
    };
    const [thread, supervisor] = [of('thread'), of('supervisor')];
    after(() => Promise.all([thread.end(), supervisor.end()]));

    it('is ended outside of native code, or ends itself when it comes out, in every order', () => {
      const seen = new Set<number>();
      everyOrder([thread, supervisor], memory, (order) => {
        const where = `in the order ${order}`;
        const fate = supervisor.result;
        seen.add(fate);
        assert.notEqual(fate, FATE.neither, `missed ${where}`);
        assert.equal(flags[FLAGS.harmed], 0, `ended inside native code ${where}`);
        // Before it is terminated it computes, or waits where it would have gone into native code.
        const expected: readonly number[] =
          fate === FATE.left ? [THREAD.exited] : [THREAD.inJavaScript, THREAD.parked];
        assert(expected.includes(thread.result), `${thread.result} ${where}`);
      });
      assert.deepEqual([...seen].toSorted(), [FATE.ended, FATE.left]);
    });
  });
}
