import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteBudget } from '../../../../src/server/http/byte-budget.ts';

const FULL = { code: 'BUFFERS_FULL', retrySafe: true };
const stays = () => assert.fail('was told to give way');

describe('the budget of request bytes', () => {
  it('counts what has come, and nothing that was only announced', () => {
    const budget = new ByteBudget({ total: 100, perClient: 50 });
    for (let i = 0; i < 20; i++) budget.open(`attacker ${i}`, 1000, stays).add(1);
    budget.open('victim', 50, stays).add(50);
    assert.equal(budget.held, 70);
  });

  it('gives back what a request had, once', () => {
    const budget = new ByteBudget({ total: 100, perClient: 100 });
    const account = budget.open('a', 0, stays);
    account.add(40);
    account.release();
    account.release();
    account.add(5); // what comes later is nobody's
    assert.equal(budget.held, 0);
  });

  it('lets one client have its share and no more', () => {
    const budget = new ByteBudget({ total: 100, perClient: 50 });
    const first = budget.open('a', 0, stays);
    const second = budget.open('a', 0, stays);
    first.add(30);
    second.add(20);
    assert.throws(() => first.add(1), FULL);
    budget.open('b', 0, stays).add(50);
  });

  it('lets one request alone in, whatever its size', () => {
    const budget = new ByteBudget({ total: 10, perClient: 5 });
    const alone = budget.open('a', 1000, stays);
    alone.add(1000);
    alone.complete();
    assert.throws(() => budget.open('b', 0, stays).add(1), FULL);
  });

  it('refuses at once what would take a client over its share', () => {
    const budget = new ByteBudget({ total: 100, perClient: 50 });
    budget.open('a', 30, stays).add(30);
    assert.throws(() => budget.open('a', 30, stays), FULL);
  });

  it('makes room by the newest request that still comes in of the client that holds most', () => {
    const budget = new ByteBudget({ total: 100, perClient: 60 });
    const gone: string[] = [];
    const open = (client: string, name: string, bytes: number) => {
      const account = budget.open(client, 0, () => gone.push(name));
      account.add(bytes);
      return account;
    };
    open('heavy', 'heavy 1', 20);
    open('heavy', 'heavy 2', 20);
    open('heavy', 'heavy 3', 20).complete();
    open('other', 'other', 35);
    open('few', 'few', 10);
    assert.deepEqual(gone, ['heavy 2']);
    assert.equal(budget.held, 85);
  });

  it('refuses who holds most himself', () => {
    const budget = new ByteBudget({ total: 100, perClient: 100 });
    budget.open('other', 0, stays).add(40);
    const mine = budget.open('heavy', 0, stays);
    mine.add(60);
    assert.throws(() => mine.add(1), FULL);
  });

  it('refuses when all that others hold has come in', () => {
    const budget = new ByteBudget({ total: 100, perClient: 90 });
    const held = budget.open('heavy', 0, stays);
    held.add(90);
    held.complete();
    assert.throws(() => budget.open('few', 0, stays).add(20), FULL);
  });
});
