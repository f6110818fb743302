import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FetchedBytes } from '../../../src/server/chat/fetched-bytes.ts';
import { WaitingBudget } from '../../../src/server/waiting-budget.ts';

const { signal } = new AbortController();

test('bytes are given while there are any, and to the next in line when some come back', async () => {
  const budget = new WaitingBudget(100);
  const first = await budget.reserve(70, signal);
  const order: string[] = [];
  const large = budget.reserve(80, signal).then((reservation) => {
    order.push('large');
    return reservation;
  });
  const small = budget.reserve(10, signal).then(() => order.push('small'));
  assert.deepEqual([budget.used, budget.waiting], [70, 2]);
  first.release();
  first.release();
  await Promise.all([large, small]);
  assert.deepEqual(order, ['large', 'small']);
  assert.equal(budget.used, 90);
});

test('what is not needed comes back at once', async () => {
  const budget = new WaitingBudget(100);
  const first = await budget.reserve(100, signal);
  const second = budget.reserve(60, signal);
  first.shrinkTo(40);
  first.shrinkTo(80); // never grows
  await second;
  assert.equal(budget.used, 100);
});

test('who gives up makes way', async () => {
  const budget = new WaitingBudget(100);
  await budget.reserve(50, signal);
  const abort = new AbortController();
  const large = budget.reserve(80, abort.signal);
  const small = budget.reserve(10, signal);
  abort.abort(new Error('gone'));
  await assert.rejects(large, /gone/);
  await small;
  assert.deepEqual([budget.used, budget.waiting], [60, 0]);
});

test('what can never fit is refused at once', async () => {
  await assert.rejects(new WaitingBudget(100).reserve(101, signal), RangeError);
});

test('a request takes the room for its images at once, when all their sizes are known', async () => {
  const budget = new WaitingBudget(100);
  const bytes = new FetchedBytes(budget, 3, 50, signal);
  const first = bytes.admit(30);
  const second = bytes.admit(20);
  assert.equal(budget.used, 0);
  assert.deepEqual(await Promise.all([first, second, bytes.admit(40)]), [30, 20, 40]);
  assert.equal(budget.used, 90);
  bytes.complete(85);
  assert.equal(budget.used, 85);
  bytes.release();
  assert.equal(budget.used, 0);
});

test('images that do not say how large they are share what is left', async () => {
  const budget = new WaitingBudget(100);
  const bytes = new FetchedBytes(budget, 3, 50, signal);
  const most = await Promise.all([bytes.admit(undefined), bytes.admit(40), bytes.admit(undefined)]);
  assert.deepEqual(most, [30, 40, 30]);
});

test('requests that together name more than there is are served one after the other', async () => {
  const budget = new WaitingBudget(100);
  const one = new FetchedBytes(budget, 2, 50, signal);
  const other = new FetchedBytes(budget, 2, 50, signal);
  const firsts = [one.admit(50), other.admit(50)];
  const all = Promise.all([...firsts, one.admit(50)]);
  const last = other.admit(50);
  await Promise.race([all, Promise.all([firsts[0]])]);
  assert.equal(budget.used, 100);
  one.release();
  await Promise.all([all, last]);
  other.release();
  assert.equal(budget.used, 0);
});

test('images that can never fit together are refused by name', async () => {
  const bytes = new FetchedBytes(new WaitingBudget(100), 2, 80, signal);
  const first = bytes.admit(60);
  await assert.rejects(bytes.admit(60), { code: 'IMAGES_TOO_LARGE_BYTES', message: /120 bytes, of 100/ });
  await assert.rejects(first, { code: 'IMAGES_TOO_LARGE_BYTES' });
});

test('a request that ends while it waits holds nothing', async () => {
  const budget = new WaitingBudget(100);
  const before = await budget.reserve(100, signal);
  const abort = new AbortController();
  const bytes = new FetchedBytes(budget, 1, 50, abort.signal);
  const waiting = bytes.admit(50);
  abort.abort(new Error('left'));
  await assert.rejects(waiting, /left/);
  before.release();
  assert.deepEqual([budget.used, budget.waiting], [0, 0]);
});
