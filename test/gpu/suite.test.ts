/**
 * Runs `cases/` in a process that finds a Vulkan driver: the loader looks at its variables when a process starts. Those of
 * `cases/alone/` have one each, the others share theirs, and the GPU's device. One process at a time, since a driver that emulates a
 * GPU takes all cores.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { vulkanEnvironment } from './support.ts';

const CASES = casesIn('cases');
const ALONE = casesIn('cases/alone');
const KEEP_DEVICE = join(import.meta.dirname, 'keep-device.ts');
const env = vulkanEnvironment();
const skip = env === undefined ? 'no Vulkan driver: install chromium, or name one in VK_DRIVER_FILES' : false;

describe('on a GPU', { skip }, () => {
  assert(CASES.length > 0 && ALONE.length > 0);

  it(`passes ${CASES.map(nameOf).join(', ')}`, () => {
    passes('--test-isolation=none', KEEP_DEVICE, ...CASES);
  });
  for (const file of ALONE) it(`passes ${nameOf(file)}`, () => passes(file));
});

function casesIn(folder: string): string[] {
  const cwd = join(import.meta.dirname, folder);
  return globSync('*.case.ts', { cwd })
    .sort()
    .map((file) => join(cwd, file));
}

function nameOf(file: string): string {
  return basename(file, '.case.ts');
}

function passes(...test: readonly string[]): void {
  // A runner inside of a runner reports to the outer one, unless that is hidden from it.
  const { NODE_TEST_CONTEXT: _, ...clean } = env ?? {};
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=spec', ...test],
    { env: clean, encoding: 'utf8', timeout: 900_000 },
  );
  assert.equal(signal ?? status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /(pass|skipped) [1-9]/);
}
