import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { probeGpu } from '../../../src/devices/probe-gpu.ts';

describe('trying a GPU provider', () => {
  it('reports one that is not there, and ends no process of ours', async () => {
    const result = await probeGpu('cuda');
    // The package has no CUDA libraries: they are installed apart.
    assert(!result.works);
    assert.equal(result.missing, 'libonnxruntime_providers_cuda.so');
  });
});
