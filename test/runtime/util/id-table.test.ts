import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IdTable } from '../../../runtime/util/id-table.ts';

/** More than the table begins with. */
const MANY = 1_000;

describe('a table of ids', () => {
  it('has what was set, until it is deleted, once', () => {
    const table = new IdTable<string>();
    table.set(7, 'seven');
    assert.equal(table.get(7), 'seven');
    assert.equal(table.get(71), undefined, 'which would lie at the same place');
    assert.equal(table.delete(71), false);
    assert.equal(table.delete(7), true);
    assert.equal(table.delete(7), false);
    assert.equal(table.get(7), undefined);
  });

  it('grows, and keeps them in the order of their ids', () => {
    const table = new IdTable<number>();
    const ids = Array.from({ length: MANY }, (_, index) => index);
    for (const id of ids.toReversed()) table.set(id, id);
    assert.equal(table.size, MANY);
    assert.deepEqual(table.values(), ids);
    table.clear();
    assert.deepEqual([table.size, table.values(), table.get(3)], [0, [], undefined]);
  });

  it('keeps one that stays while thousands pass by its place', () => {
    const table = new IdTable<number>();
    table.set(0, 0);
    for (let id = 1; id < 100 * MANY; id++) {
      table.set(id, id);
      assert.equal(table.get(id), id);
      assert.equal(table.delete(id), true);
    }
    assert.equal(table.get(0), 0);
    assert.equal(table.size, 1);
  });

  it('takes ids beyond 32 bits', () => {
    const table = new IdTable<string>();
    table.set(2 ** 40 + 5, 'large');
    assert.equal(table.get(2 ** 40 + 5), 'large');
    assert.equal(table.get(5), undefined);
  });

  it('does what a Map does', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(400)), { maxLength: 600 });
    fc.assert(
      fc.property(steps, (all) => {
        const [table, map] = [new IdTable<number>(), new Map<number, number>()];
        for (const [index, [isSet, id]] of all.entries()) {
          if (!isSet) assert.equal(table.delete(id), map.delete(id));
          else if (!map.has(id)) {
            table.set(id, index);
            map.set(id, index);
          }
          assert.equal(table.get(id), map.get(id));
          assert.equal(table.size, map.size);
        }
        const inOrder = [...map].sort(([one], [other]) => one - other).map(([, value]) => value);
        assert.deepEqual(table.values(), inOrder);
      }),
      { seed: 20_261_128 },
    );
  });
});
