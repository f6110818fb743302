import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NgramTable, NgramTail } from '../../../../actors/pd/speculation/ngram-table.ts';

describe('a table of n-grams', () => {
  it('knows nothing and takes no memory before it has learnt', () => {
    const table = new NgramTable(10);
    assert.equal(table.after(7), undefined);
    assert.equal(table.bytes, 0);
  });

  it('says what followed, and how often in a row', () => {
    const table = new NgramTable(10);
    for (let i = 0; i < 20; i++) table.learn(-7, 3);
    assert.deepEqual(table.after(-7), { token: 3, hits: 7 });
  });

  it('changes its mind when it is contradicted as often as it was sure', () => {
    const table = new NgramTable(10);
    for (let i = 0; i < 3; i++) table.learn(1, 3);
    table.learn(1, 4);
    assert.deepEqual(table.after(1), { token: 3, hits: 1 });
    table.learn(1, 4);
    assert.deepEqual(table.after(1), { token: 4, hits: 1 });
  });

  it('forgets the older of two n-grams that have one place', () => {
    const table = new NgramTable(10);
    table.learn(1, 3);
    table.learn(2, 4);
    assert.equal(table.after(1), undefined);
    assert.deepEqual(table.after(2), { token: 4, hits: 1 });
  });

  it('never grows', () => {
    const table = new NgramTable(8);
    table.learn(1, 1);
    const { bytes } = table;
    const tail = new NgramTail();
    for (let token = 0; token < 5000; token++) {
      tail.push(token);
      table.learn(tail.hash(2) ?? 0, token);
    }
    assert.equal(table.bytes, bytes);
    assert.equal(bytes, 9 * 2 ** 8);
  });
});

describe('the tail of a text', () => {
  it('has the hash of an n-gram whatever came before it', () => {
    const [one, other] = [new NgramTail([1, 2, 3, 4, 5, 6, 7, 8]), new NgramTail([9, 6, 7])];
    other.push(8);
    assert.equal(one.hash(3), other.hash(3));
    assert.notEqual(one.hash(4), other.hash(4));
    assert.notEqual(one.hash(2), one.hash(3));
  });

  it('has none of an n-gram that is longer than the text', () => {
    const tail = new NgramTail([1, 2]);
    assert.equal(tail.hash(3), undefined);
    tail.clear();
    assert.equal(tail.hash(2), undefined);
  });
});
