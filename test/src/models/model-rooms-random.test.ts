import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelRooms } from '../../../src/models/model-rooms.ts';

const turn = () => new Promise(setImmediate);
const BUDGET = 4;
const NAMES = ['a', 'b', 'c', 'd', 'e'];

/** mulberry32: the same numbers at each run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe('ModelRooms, whatever comes', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`answers everybody, within its budget, and unloads nobody's model (${seed})`, async () => {
      const random = randomFrom(seed);
      const pause = async () => {
        for (let turns = random(4); turns > 0; turns--) await turn();
      };
      const rooms = new ModelRooms<string>(BUDGET);
      const inUse = new Map<string, number>();
      const failing = new Error('a load that fails');
      for (const [index, name] of NAMES.entries()) {
        rooms.add({
          name,
          keepAliveMs: Number.POSITIVE_INFINITY,
          async prepare() {
            await pause();
            return { memoryBytes: 1 + (index % 3), gpu: index > 2 };
          },
          async load() {
            await pause();
            if (random(10) === 0) throw failing;
            return `engine of ${name}`;
          },
          async unload(engine) {
            assert.equal(inUse.get(engine) ?? 0, 0, `${name} was unloaded in use`);
            await pause();
          },
        });
      }
      const outcomes = { answered: 0, left: 0, failed: 0 };
      const request = async () => {
        const name = NAMES[random(NAMES.length)] ?? 'a';
        const leaves = new AbortController();
        const gone = new Error('gone');
        const leasing = rooms.lease(name, leaves.signal);
        if (random(4) === 0) void pause().then(() => leaves.abort(gone));
        try {
          const lease = await leasing;
          assert.equal(lease.engine, `engine of ${name}`);
          inUse.set(lease.engine, (inUse.get(lease.engine) ?? 0) + 1);
          assert(rooms.usedBytes <= BUDGET, `${rooms.usedBytes} of ${BUDGET}`);
          const owners = rooms.slots.filter((slot) => slot.isResident && slot.needs?.gpu === true);
          assert(owners.length <= 1, 'one owner of the GPU');
          await pause();
          inUse.set(lease.engine, (inUse.get(lease.engine) ?? 0) - 1);
          lease.release();
          outcomes.answered += 1;
        } catch (error) {
          if (error === gone) outcomes.left += 1;
          else if (error === failing) outcomes.failed += 1;
          else throw error;
        }
      };
      const requests: Promise<void>[] = [];
      for (let count = 0; count < 400; count++) {
        requests.push(request());
        if (random(3) === 0) await turn();
      }
      await Promise.all(requests);
      assert.equal(outcomes.answered + outcomes.left + outcomes.failed, 400);
      assert(outcomes.answered > 200, JSON.stringify(outcomes));
      assert(rooms.slots.every(({ inFlight, waiters }) => inFlight === 0 && waiters.size === 0));
    });
  }
});
