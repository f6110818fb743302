import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffDelay } from '../../../runtime/util/backoff.ts';

test('delays double up to the cap', () => {
  const options = { firstMs: 100, capMs: 1_000, jitter: 0 };
  const delays = [1, 2, 3, 4, 5, 5_000].map((failures) => backoffDelay(failures, options));
  assert.deepEqual(delays, [100, 200, 400, 800, 1_000, 1_000]);
});

test('jitter shortens a delay by at most its part', () => {
  const options = { firstMs: 100, jitter: 0.5 };
  assert.equal(backoffDelay(1, { ...options, random: () => 0 }), 100);
  assert.equal(backoffDelay(1, { ...options, random: () => 0.5 }), 75);
});
