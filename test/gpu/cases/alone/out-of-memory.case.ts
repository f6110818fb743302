import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';

/** It gives no piece of memory above 1 GiB; a GPU may have room for what is asked for. */
const emulated = /swiftshader/.test(process.env.VK_DRIVER_FILES ?? '');

it('fails as GPU_LOST, retry-safe, when the GPU has no memory, and does not crash', {
  skip: emulated ? false : 'needs SwiftShader, whose memory ends early',
}, () => {
  const script = join(import.meta.dirname, '../../fill-memory.ts');
  const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 120_000 });
  assert.match(stdout, /\{"code":"GPU_LOST","retrySafe":true,"lost":true\}/, stderr);
});
