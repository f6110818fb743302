import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isGpuLoss } from '../../../../actors/inference/gpu/gpu-errors.ts';

describe('what a failed run on a GPU says', () => {
  for (const said of [
    'Dawn: Device is lost.',
    'vkQueueSubmit failed with VK_ERROR_DEVICE_LOST',
    'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
    '[Invalid Buffer (unlabeled)] is invalid due to a previous error.',
    'Failed to allocate memory for requested buffer of size 4096',
  ]) {
    it(`"${said}" is a loss of the device`, () => assert(isGpuLoss(new Error(said))));
  }

  it('a graph that does not fit its inputs is none', () => {
    assert(
      !isGpuLoss(new Error('Non-zero status code returned while running ScatterND node: invalid indice')),
    );
  });
});
