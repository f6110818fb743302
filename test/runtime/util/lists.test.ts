import assert from 'node:assert/strict';
import { it } from 'node:test';
import { forEachItem } from '../../../runtime/util/lists.ts';

function itemsOf(list: readonly unknown[]): unknown[] {
  const items: unknown[] = [];
  forEachItem(list, (item) => items.push(item));
  return items;
}

it('a list that says it is very long is not gone through hole by hole', () => {
  const list: unknown[] = ['first'];
  list[4_000_000_000] = 'last';
  assert.deepEqual(itemsOf(list), ['first', 'last']);
});

it('a list is gone through in order', () => {
  assert.deepEqual(itemsOf([1, undefined, 'two']), [1, undefined, 'two']);
});
