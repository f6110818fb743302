/**
 * Runs `cases/` in processes that find a Vulkan driver: the loader looks at its variables when a process starts. One
 * at a time, since a driver that emulates a GPU takes all cores.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { vulkanEnvironment } from './support.ts';

const CASES = globSync('cases/*.case.ts', { cwd: import.meta.dirname }).sort();
const env = vulkanEnvironment();
const skip = env === undefined ? 'no Vulkan driver: install chromium, or name one in VK_DRIVER_FILES' : false;

describe('on a GPU', { skip }, () => {
  assert(CASES.length > 0);
  for (const file of CASES) {
    it(`passes ${basename(file, '.case.ts')}`, () => {
      // A runner inside of a runner reports to the outer one, unless that is hidden from it.
      const { NODE_TEST_CONTEXT: _, ...clean } = env ?? {};
      const { status, signal, stdout, stderr } = spawnSync(
        process.execPath,
        ['--test', '--test-reporter=spec', join(import.meta.dirname, file)],
        { env: clean, encoding: 'utf8', timeout: 480_000 },
      );
      assert.equal(signal ?? status, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /(pass|skipped) [1-9]/);
    });
  }
});
