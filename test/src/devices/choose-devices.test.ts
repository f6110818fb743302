import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingPiece } from '../../../actors/inference/gpu/gpu-errors.ts';
import { chooseDevices, type DeviceFacts, type DeviceProbes } from '../../../src/devices/choose-devices.ts';
import { hardwareGpu } from '../../../src/devices/probe-gpu.ts';

const LARGE: DeviceFacts = {
  aggregated: true,
  weightBytes: 1024 ** 3,
  several: { encoder: false, pd: false },
};
const NO_DRIVER = { works: false, ...missingPiece('vkCreateInstance: Found no drivers!') } as const;

function machine(hardware: boolean, works = true): DeviceProbes & { tried: number } {
  return {
    tried: 0,
    async probe() {
      this.tried += 1;
      return works ? { works } : NO_DRIVER;
    },
    hardware: () => (hardware ? '/dev/dri/renderD128' : undefined),
  };
}

const AUTO = { encoder: 'auto', pd: 'auto' } as const;

describe('auto', () => {
  it('takes a hardware GPU that works, for a model that gains by it', async () => {
    assert.deepEqual(await chooseDevices(AUTO, LARGE, machine(true)), { encoder: 'webgpu', pd: 'webgpu' });
  });

  it('does not try a GPU that could only be emulated', async () => {
    const emulated = machine(false);
    assert.deepEqual(await chooseDevices(AUTO, LARGE, emulated), { encoder: 'cpu', pd: 'cpu' });
    assert.equal(emulated.tried, 0);
  });

  it('leaves a small model on the CPU', async () => {
    const small = { ...LARGE, weightBytes: 17 * 1024 ** 2 };
    assert.deepEqual(await chooseDevices(AUTO, small, machine(true)), { encoder: 'cpu', pd: 'cpu' });
  });

  it('is the CPU where the GPU does not start', async () => {
    assert.deepEqual(await chooseDevices(AUTO, LARGE, machine(true, false)), { encoder: 'cpu', pd: 'cpu' });
  });

  it('gives the GPU to one role of two, and never to a pool of several actors', async () => {
    const apart = { ...LARGE, aggregated: false };
    assert.deepEqual(await chooseDevices(AUTO, apart, machine(true)), { encoder: 'cpu', pd: 'webgpu' });
    const several = { ...apart, several: { encoder: false, pd: true } };
    assert.deepEqual(await chooseDevices(AUTO, several, machine(true)), { encoder: 'webgpu', pd: 'cpu' });
    const taken = { encoder: 'webgpu', pd: 'auto' } as const;
    assert.deepEqual(await chooseDevices(taken, apart, machine(true)), { encoder: 'webgpu', pd: 'cpu' });
  });

  it('does not take SwiftShader for hardware', () => {
    assert.equal(hardwareGpu({ VK_DRIVER_FILES: '/usr/lib/chromium/vk_swiftshader_icd.json' }), undefined);
  });
});

describe('a device asked for by name', () => {
  it('fails where it does not start, naming the missing piece', async () => {
    const choices = { encoder: 'webgpu', pd: 'webgpu' } as const;
    await assert.rejects(chooseDevices(choices, LARGE, machine(false, false)), {
      code: 'GPU_UNAVAILABLE',
      message: /no Vulkan driver is found\. .* VK_DRIVER_FILES/,
    });
  });
});

describe('what a provider says', () => {
  for (const [said, missing] of [
    ["Warning: Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file", 'libvulkan.so.1'],
    ['vkCreateInstance failed with VK_ERROR_INCOMPATIBLE_DRIVER', 'VK_DRIVER_FILES'],
    ['error: XDG_RUNTIME_DIR is invalid or not set', 'XDG_RUNTIME_DIR'],
    ['Failed to load libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_cuda.so'],
    ['Failed to get a WebGPU adapter: No supported adapters', 'adapter'],
    ['something new', 'unknown'],
  ] as const) {
    it(`"${said}" means that ${missing} is missing`, () => assert.equal(missingPiece(said).missing, missing));
  }
});
