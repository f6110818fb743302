import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { collectSetupGarbage } from '../../../runtime/thread/setup-garbage.ts';

const MIB = 2 ** 20;

describe('what a setup leaves behind', () => {
  it('is collected from a heap that is worth it', async () => {
    let parsed: unknown = JSON.parse(`[${'{"key":[1.5,2.5]},'.repeat(400_000)}0]`);
    const before = getHeapStatistics().used_heap_size;
    assert.ok(Array.isArray(parsed), 'it is alive until here');
    parsed = undefined;
    assert.equal(await collectSetupGarbage(16 * MIB), true);
    const freed = before - getHeapStatistics().used_heap_size;
    assert.ok(freed > 16 * MIB, `${freed} bytes`);
  });

  it('is left alone in a small heap', async () => {
    assert.equal(await collectSetupGarbage(Number.POSITIVE_INFINITY), false);
  });
});
