import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { ModelDirectory } from '../../../actors/model/model-directory.ts';
import { openModelDirectory } from '../../../actors/open-model-directory.ts';
import { type KvWishes, planKv } from '../../../src/config/kv-plan.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';

const GIB = 1024 ** 3;

describe('memory for keys and values', () => {
  let directory: ModelDirectory;
  before(async () => {
    directory = await openModelDirectory(PILOT_MODEL);
  });

  const plan = (available: number, wishes: Partial<KvWishes> = {}) =>
    planKv(
      directory,
      { kvCacheBytes: undefined, prefixCacheBytes: undefined, maxRunning: 64, actors: 1, ...wishes },
      available,
    );

  it('is no more than the sequences of a batch can fill, and than sixteen contexts for prompts', () => {
    const { bytesPerToken, kvCacheBytes, prefixCacheBytes, kvCacheTokens, why } = plan(64 * GIB);
    const context = directory.geometry.contextLength * bytesPerToken;
    assert.deepEqual([kvCacheBytes, prefixCacheBytes], [64 * context, 16 * context]);
    assert.equal(kvCacheTokens, 64 * directory.geometry.contextLength);
    assert.equal(why, 'sequences: all that 64 full contexts need; prompts: all that 16 full contexts need');
  });

  it('keeps as much of prompts whatever a batch holds', () => {
    assert.equal(plan(64 * GIB, { maxRunning: 1 }).prefixCacheBytes, plan(64 * GIB).prefixCacheBytes);
  });

  it('is a quarter and a twentieth of what is available where that is less, divided among actors', () => {
    const { kvCacheBytes, prefixCacheBytes, why } = plan(32_000_000, { actors: 2 });
    assert.deepEqual([kvCacheBytes, prefixCacheBytes], [4_000_000, 800_000]);
    assert.equal(
      why,
      'sequences: 25 % of the available memory, divided among 2 actors; prompts: 5 % of the available memory, divided among 2 actors',
    );
  });

  it('is what is asked for', () => {
    const { kvCacheBytes, prefixCacheBytes, why } = plan(GIB, { kvCacheBytes: 5, prefixCacheBytes: 0 });
    assert.deepEqual([kvCacheBytes, prefixCacheBytes], [5, 0]);
    assert.equal(why, 'sequences: as configured; prompts: as configured');
  });
});
