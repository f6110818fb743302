import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from '../../../runtime/tensors/buffer-pool.ts';

test('a buffer is at least as large as asked for, and a power of two', () => {
  const pool = new BufferPool();
  assert.equal(pool.acquire(0).byteLength, 4096);
  assert.equal(pool.acquire(4096).byteLength, 4096);
  assert.equal(pool.acquire(4097).byteLength, 8192);
});

test('a recycled buffer is handed out again, the last one first', () => {
  const pool = new BufferPool();
  const [first, second] = [pool.acquire(5000), pool.acquire(5000)];
  assert.equal(pool.recycle(first), true);
  assert.equal(pool.recycle(second), true);
  assert.equal(pool.idleBytes, 16_384);
  assert.equal(pool.acquire(8192), second);
  assert.equal(pool.acquire(8192), first);
  assert.notEqual(pool.acquire(8192), first);
  assert.equal(pool.idleBytes, 0);
});

test('a buffer that would exceed the bound is not kept', () => {
  const pool = new BufferPool({ maxBytes: 10_000 });
  assert.equal(pool.recycle(new ArrayBuffer(8192)), true);
  assert.equal(pool.recycle(new ArrayBuffer(4096)), false);
  assert.equal(pool.idleBytes, 8192);
});

test('a buffer of no size class, or one that was transferred away, is not kept', () => {
  const pool = new BufferPool();
  const gone = new ArrayBuffer(4096);
  structuredClone(gone, { transfer: [gone] });
  assert.equal(pool.recycle(gone), false);
  assert.equal(pool.recycle(new ArrayBuffer(5000)), false);
  assert.equal(pool.recycle(new ArrayBuffer(2048)), false);
  assert.equal(pool.recycle(new ArrayBuffer(4096, { maxByteLength: 8192 })), false);
});

test('a size that is no number of bytes is refused', () => {
  assert.throws(() => new BufferPool().acquire(-1), RangeError);
  assert.throws(() => new BufferPool().acquire(1.5), RangeError);
});
