import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TileBudget } from '../../../actors/encoder/tile-budget.ts';

describe('the tiles of one run of the vision graph', () => {
  const budget = (ms: number, maxTiles = 16) => new TileBudget({ maxTiles, budgetMs: () => ms });

  it('are one at first: how long it takes is unknown', () => {
    assert.equal(budget(1_000).tiles, 1);
  });

  it('are as many as fit into the time', () => {
    const tiles = budget(100);
    tiles.record(2, 30);
    assert.equal(tiles.tiles, 6);
  });

  it('are one when not even one fits', () => {
    const tiles = budget(100);
    tiles.record(1, 300);
    assert.equal(tiles.tiles, 1);
  });

  it('are never more than the limit, however short they are', () => {
    const tiles = budget(100, 5);
    tiles.record(1, 0);
    assert.equal(tiles.tiles, 5);
  });

  it('become fewer when the time becomes shorter', () => {
    let ms = 100;
    const tiles = new TileBudget({ maxTiles: 16, budgetMs: () => ms });
    tiles.record(1, 10);
    assert.equal(tiles.tiles, 10);
    ms = 20;
    assert.equal(tiles.tiles, 2);
  });

  it('follow what tiles take, and forgive a hiccup', () => {
    const tiles = budget(100);
    tiles.record(1, 10);
    tiles.record(1, 50);
    assert.equal(tiles.tiles, 5);
    for (let run = 0; run < 12; run++) tiles.record(5, 50);
    assert.equal(tiles.tiles, 9);
  });
});
