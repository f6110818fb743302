import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { golden, goldenImage } from '../../../support/golden.ts';
import { PILOT_MODEL } from '../../../support/pilot-model.ts';

const BIN = fileURLToPath(new URL('../../../../src/cli/bin.ts', import.meta.url));

function troupe(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [BIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 120_000,
  });
}

describe('troupe ask --device webgpu', () => {
  it('answers a golden question, with no embedding handed over and no buffer left', () => {
    const one = golden(1);
    const image = fileURLToPath(goldenImage(one));
    const model = ['--model', PILOT_MODEL, '--device', 'webgpu', '--mode', 'aggregated'];
    const { stdout, stderr } = troupe(['ask', ...model, '--json', '--image', image, one.question]);
    const { text, bytesBetweenActors, gpu } = JSON.parse(stdout || `{"text":${JSON.stringify(stderr)}}`);
    assert.equal(text, one.greedy);
    assert.deepEqual(bytesBetweenActors.embeddings, { moved: 0, copied: 0 });
    assert.equal(gpu.device, 'webgpu');
    assert.equal(gpu.liveBuffers, 0);
    assert(gpu.hostToDeviceBytes > 0);
  });

  it('says in one line which piece is missing where there is no driver', () => {
    const nowhere = '/nonexistent/driver.json';
    const { status, stderr } = troupe(['ask', '--model', PILOT_MODEL, '--device', 'webgpu', 'Hello?'], {
      VK_DRIVER_FILES: nowhere,
      VK_ICD_FILENAMES: nowhere,
    });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^troupe: The webgpu provider cannot start: no Vulkan driver .* \[GPU_UNAVAILABLE\]\n$/,
    );
  });
});
