import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TroupeOptions } from '../../../src/config/options.ts';
import { resolveConfig } from '../../../src/config/resolve-config.ts';
import { mostActors } from '../../../src/config/this-machine.ts';

const MEMORY = { limits: { memoryBytes: 64 * 1024 ** 3 } };
const mostOn = (cores: number, options: TroupeOptions = { model: './some-model' }) =>
  mostActors(resolveConfig({ ...MEMORY, ...options }), cores);

describe('the most actors of the language model, before the model is known', () => {
  it('are as many as the smallest that shares its weights would get, and of the embedded model as many as that has', () => {
    const most = [1, 2, 4, 16, 64].map((cores) => mostOn(cores));
    assert.deepEqual(most, [1, 1, 2, 8, 16]);
    assert.deepEqual(
      [1, 2, 4, 16].map((cores) => mostOn(cores, {})),
      [1, 2, 2, 8],
    );
  });

  it('are as many as are asked for, and one where they could share nothing', () => {
    const model = './some-model';
    assert.equal(mostOn(16, { model, pd: { count: 3 } }), 3);
    assert.equal(mostOn(16, { model, shareWeights: 'never' }), 1);
    assert.equal(mostOn(16, { model, device: 'webgpu' }), 1);
    assert.equal(mostOn(16, { device: 'webgpu' }), 1);
  });
});
