import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gridPositions } from '../../../../actors/families/qwen-vl/grid-positions.ts';
import { golden } from './support/golden.ts';

/** Of the made-up prompts. */
const IMAGE_TOKEN = 9;

for (const { family, ids, grids, positions, next } of golden.positions) {
  test(`${ids.length} tokens of ${family} with ${grids.length} images lie where the reference puts them`, () => {
    const tokens = grids.map(([rows, columns]) => ({ rows: rows / 2, columns: columns / 2 }));
    const placed = gridPositions(Int32Array.from(ids), IMAGE_TOKEN, tokens);
    assert.deepEqual([...placed.ids], positions.flat());
    assert.equal(placed.next, next);
  });
}

test('images without text between them lie one behind the other', () => {
  const grid = { rows: 1, columns: 2 };
  const { ids, next } = gridPositions(Int32Array.of(9, 9, 9, 9, 5), IMAGE_TOKEN, [grid, grid]);
  assert.deepEqual(
    [...ids],
    [
      [0, 0, 2, 2, 4],
      [0, 0, 2, 2, 4],
      [0, 1, 2, 3, 4],
    ].flat(),
  );
  assert.equal(next, 5);
});
