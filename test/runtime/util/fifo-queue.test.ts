import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FifoQueue } from '../../../runtime/util/fifo-queue.ts';

const queueOf = (...items: number[]): FifoQueue<number> => {
  const queue = new FifoQueue<number>();
  for (const item of items) queue.push(item);
  return queue;
};

test('first in is first out', () => {
  const queue = queueOf(1, 2, 3);
  assert.deepEqual([queue.shift(), queue.shift(), queue.shift(), queue.shift()], [1, 2, 3, undefined]);
  assert.equal(queue.size, 0);
});

test('unshift puts an item before all others', () => {
  const queue = queueOf(2, 3);
  queue.unshift(1);
  assert.deepEqual([...queue], [1, 2, 3]);
  assert.equal(queue.peek(), 1);
});

test('peek takes nothing, and finds nothing in an empty queue', () => {
  const queue = queueOf(7);
  assert.equal(queue.peek(), 7);
  assert.equal(queue.shift(), 7);
  assert.equal(queue.peek(), undefined);
});

test('remove takes the first item that fits and keeps the order of the rest', () => {
  const queue = queueOf(1, 2, 3, 4);
  assert.equal(
    queue.remove((item) => item % 2 === 0),
    2,
  );
  assert.deepEqual([...queue], [1, 3, 4]);
  assert.equal(
    queue.remove((item) => item > 9),
    undefined,
  );
  assert.equal(queue.size, 3);
});

test('drain empties the queue, which can be used again', () => {
  const queue = queueOf(1, 2, 3);
  assert.deepEqual(queue.drain(), [1, 2, 3]);
  queue.push(4);
  assert.deepEqual([...queue], [4]);
});

test('null can be queued', () => {
  const queue = new FifoQueue<null>();
  queue.push(null);
  assert.deepEqual([queue.size, queue.shift()], [1, null]);
});

test('a random history gives what an array gives', () => {
  const queue = new FifoQueue<number>();
  const model: number[] = [];
  let seed = 3;
  for (let step = 0; step < 20_000; step++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    // More is added than taken in the first half, so that the ring grows and wraps; then it empties.
    const choice = (seed >>> 16) % (step < 10_000 ? 5 : 8);
    if (choice === 0 || choice === 1) {
      queue.push(step);
      model.push(step);
    } else if (choice === 2) {
      queue.unshift(step);
      model.unshift(step);
    } else if (choice === 3) {
      const fits = (item: number): boolean => item % 7 === seed % 7;
      const at = model.findIndex(fits);
      assert.equal(queue.remove(fits), at < 0 ? undefined : model.splice(at, 1)[0]);
    } else {
      assert.equal(queue.shift(), model.shift());
    }
    assert.equal(queue.size, model.length);
    assert.equal(queue.peek(), model[0]);
  }
  assert.deepEqual([...queue], model);
});
