import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { packagesOf, runtimePackages } from '../../bench/bundle/installed-packages.ts';

describe('installed packages', () => {
  let root = '';

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'troupe-packages-'));
    const packages = {
      '': { dependencies: { one: '1.0.0' } },
      'node_modules/one': { dependencies: { two: '1.0.0' } },
      'node_modules/two': {},
      'node_modules/tool': { dev: true },
      'node_modules/other-platform': { optional: true },
    };
    await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages }));
    for (const name of ['one', 'two', 'tool']) {
      await mkdir(join(root, 'node_modules', name), { recursive: true });
    }
  });

  after(() => rm(root, { recursive: true, force: true }));

  it('leaves out development dependencies and what was not installed', async () => {
    assert.deepEqual(await runtimePackages(root), ['node_modules/one', 'node_modules/two']);
  });

  it('takes what a package depends on along', async () => {
    assert.deepEqual(await packagesOf(root, ['one']), ['node_modules/one', 'node_modules/two']);
  });

  it('says which package is missing', async () => {
    await assert.rejects(
      packagesOf(root, ['other-platform']),
      /other-platform is not installed: run `npm ci`/,
    );
  });
});
