import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deviceChoices } from '../../../src/config/device-choices.ts';

describe('which device each role is asked to run on', () => {
  it('is the CPU unless said otherwise', () => {
    assert.deepEqual(deviceChoices('disaggregated', {}), { encoder: 'cpu', pd: 'cpu' });
  });

  it('is the same for the encoder and PD of an aggregated actor', () => {
    assert.deepEqual(deviceChoices('aggregated', { device: 'webgpu' }), { encoder: 'webgpu', pd: 'webgpu' });
  });

  it('is said for each role in disaggregated mode, over what is said for all', () => {
    assert.deepEqual(deviceChoices('disaggregated', { device: 'webgpu', encoder: { device: 'cpu' } }), {
      encoder: 'cpu',
      pd: 'webgpu',
    });
  });

  it('cannot be a GPU for two roles: both are named', () => {
    const both = { encoder: { device: 'webgpu' }, pd: { device: 'webgpu' } } as const;
    assert.throws(() => deviceChoices('disaggregated', both), {
      code: 'INVALID_OPTION',
      message: /^encoder\.device: gives the GPU to the encoder and to PD \(pd\.device "webgpu"\)/,
    });
  });

  it('cannot be a GPU for two actors of a pool: both options are named', () => {
    assert.throws(() => deviceChoices('aggregated', { device: 'webgpu', pd: { count: 2 } }), {
      code: 'INVALID_OPTION',
      message: /^device: cannot be combined with pd\.count 2: .* \("webgpu"\)\. Set pd\.count to 1/,
    });
    const encoders = { encoder: { device: 'webgpu', count: 3 } } as const;
    assert.throws(() => deviceChoices('disaggregated', encoders), { message: /encoder\.count 3/ });
  });
});
