import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { probeGpu } from '../../../src/devices/probe-gpu.ts';

describe('trying a GPU provider', () => {
  it('reports one that finds no driver, and ends no process of ours', {
    skip: process.platform === 'linux' ? false : 'only Linux has its GPU drivers by name',
  }, async () => {
    // A test file is a process of its own. Whatever the machine has, this is not there.
    const nowhere = '/nonexistent/driver.json';
    Object.assign(process.env, { VK_DRIVER_FILES: nowhere, VK_ICD_FILENAMES: nowhere });
    const result = await probeGpu('webgpu');
    assert(!result.works);
    // The Vulkan loader looks for drivers; it may be missing itself.
    assert.match(result.missing, /^(VK_DRIVER_FILES|libvulkan\.so\.1)$/);
  });
});
