import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RunCosts } from '../../../../actors/pd/speculation/run-costs.ts';
import { couldPay, worthRunning } from '../../../../actors/pd/speculation/worth.ts';

/** What was measured of decode steps by rows, and of runs by tokens. */
function measured(
  decodes: Readonly<Record<number, number>>,
  runs: Readonly<Record<number, number>>,
): RunCosts {
  const costs = new RunCosts();
  for (let turn = 0; turn < 100; turn++) {
    for (const [rows, ms] of Object.entries(decodes)) costs.noteDecode(Number(rows), ms);
    for (const [tokens, ms] of Object.entries(runs)) costs.noteRun(Number(tokens), ms);
  }
  return costs;
}

const SURE = [0.95, 0.95, 0.95, 0.95];

describe('a draft', () => {
  it('is not run before it is known what a decode step takes', () => {
    const costs = new RunCosts();
    assert.equal(worthRunning(SURE, 1, costs), 0);
    costs.noteDecode(1, 1);
    assert.equal(worthRunning(SURE, 1, costs), 0);
  });

  it('is run whole where it is sure and tokens are cheap', () => {
    assert.equal(worthRunning(SURE, 1, measured({ 1: 1 }, { 2: 1.1, 5: 1.4 })), 4);
  });

  it('is cut where what follows would cost more than it is likely to give', () => {
    assert.equal(worthRunning([0.95, 0.9, 0.2, 0.9], 1, measured({ 1: 1 }, { 2: 1.15, 5: 1.6 })), 2);
  });

  it('is not run where each token costs as much as a step', () => {
    assert.equal(worthRunning(SURE, 1, measured({ 1: 1 }, { 2: 2, 5: 5 })), 0);
  });

  it('is not run where the batch gives more for its time', () => {
    const costs = measured({ 1: 1, 16: 4 }, { 2: 1.1, 5: 1.4 });
    assert.equal(worthRunning(SURE, 16, costs), 0);
    assert.equal(worthRunning(SURE, 1, costs), 4);
  });

  it('is not given up for one run that was interrupted', () => {
    const costs = measured({ 1: 1 }, { 2: 1.1, 5: 1.4 });
    costs.noteRun(5, 1000);
    assert.equal(worthRunning(SURE, 1, costs), 4);
  });

  it('is run again when runs have become cheaper', () => {
    const costs = measured({ 1: 1 }, { 2: 2, 5: 5 });
    for (let turn = 0; turn < 200; turn++) costs.noteRun(turn % 2 === 0 ? 2 : 5, 1.2);
    assert.ok(worthRunning(SURE, 1, costs) > 0);
  });

  it('is looked for wherever one could pay', () => {
    const chance = fc.double({ min: 0, max: 1, noNaN: true });
    const ms = fc.double({ min: 0.1, max: 10, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(chance, { minLength: 1, maxLength: 31 }),
        ms,
        ms,
        ms,
        (chances, batch, two, nine) => {
          const costs = measured({ 1: 1, 16: batch }, { 2: two, 9: nine });
          for (const rows of [1, 16]) {
            assert(couldPay(chances.length, rows, costs) || worthRunning(chances, rows, costs) === 0);
          }
        },
      ),
      { seed: 22 },
    );
  });

  it('is not looked for where the surest one would not pay', () => {
    const costs = measured({ 1: 1, 16: 4 }, { 2: 1.1, 5: 1.4 });
    assert.equal(couldPay(8, 16, costs), false);
    assert.equal(couldPay(8, 1, costs), true);
  });
});
