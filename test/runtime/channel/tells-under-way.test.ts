import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cellsOf, FlowSender } from '../../../runtime/channel/flow-control.ts';
import { BegunTells, TellPlaces } from '../../../runtime/channel/tells-under-way.ts';

function tells() {
  const cells = cellsOf(FlowSender.createBuffer(), 'normal');
  const tables: SharedArrayBuffer[] = [];
  const places = new TellPlaces(cells, (table) => tables.push(table));
  const begun = new BegunTells(cells);
  return { tables, places, begun };
}

describe('tells under way', () => {
  it('are those that have begun and not ended, in whatever order they end', () => {
    const { tables, places, begun } = tells();
    const taken = Array.from({ length: 40 }, (_, number) => places.take(number));
    for (const table of tables) begun.addTable(table);
    for (const [number, place] of taken.entries()) if (number % 13 !== 0) places.giveBack(place);
    begun.look();
    for (const number of taken.keys()) begun.note(number, `method ${number}`);
    assert.deepEqual([...begun.methods], ['method 0', 'method 13', 'method 26', 'method 39']);
  });

  it('need no table where one ends before the next begins', () => {
    const { tables, places } = tells();
    for (let number = 0; number < 100; number++) places.giveBack(places.take(number));
    assert.equal(tables.length, 0);
  });

  it('are all that have begun, as long as a table is on its way', () => {
    const { tables, places, begun } = tells();
    const [first] = [places.take(0), places.take(1)];
    assert(first !== undefined);
    begun.look();
    begun.note(0, 'first');
    begun.note(1, 'second');
    places.giveBack(first);
    begun.look();
    assert.deepEqual([...begun.methods], ['first', 'second']);
    for (const table of tables) begun.addTable(table);
    begun.look();
    assert.deepEqual([...begun.methods], ['second']);
  });

  it('are not taken for others that stand in their places later', () => {
    const { places, begun } = tells();
    const place = places.take(0);
    begun.look();
    begun.note(0, 'first');
    places.giveBack(place);
    places.take(1);
    begun.look();
    assert.equal(begun.size, 0);
  });
});
