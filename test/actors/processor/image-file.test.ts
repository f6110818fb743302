import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readImageFile } from '../../../actors/processor/image-file.ts';
import { code } from '../model/support/model-fixture.ts';

interface Tree {
  readonly allowed: string;
  readonly outside: string;
}

/** allowed/picture.png, outside/secret.png, allowed/out → outside, allowed/link.png → outside/secret.png */
async function tree(t: TestContext): Promise<Tree> {
  const root = await mkdtemp(join(tmpdir(), 'troupe-files-'));
  t.after(() => rm(root, { recursive: true }));
  const allowed = join(root, 'allowed');
  const outside = join(root, 'outside');
  await mkdir(allowed);
  await mkdir(outside);
  await writeFile(join(allowed, 'picture.png'), 'picture');
  await writeFile(join(outside, 'secret.png'), 'secret');
  await symlink(outside, join(allowed, 'out'));
  await symlink(join(outside, 'secret.png'), join(allowed, 'link.png'));
  await symlink(join(allowed, 'picture.png'), join(allowed, 'alias.png'));
  return { allowed, outside };
}

const read = async (name: string, folders: readonly string[]): Promise<string> =>
  Buffer.from(await readImageFile(name, 'image', 100, { folders })).toString();

test('a file inside an allowed folder is read, by path, by URL and through a link that stays inside', async (t) => {
  const { allowed } = await tree(t);
  const path = join(allowed, 'picture.png');
  for (const name of [
    path,
    pathToFileURL(path).href,
    join(allowed, 'alias.png'),
    `${allowed}/../allowed/picture.png`,
  ]) {
    assert.equal(await read(name, [allowed]), 'picture');
  }
});

test('what lies outside is refused, whatever way the name takes', async (t) => {
  const { allowed, outside } = await tree(t);
  for (const name of [
    join(outside, 'secret.png'),
    `${allowed}/../outside/secret.png`,
    `file://${allowed}/../outside/secret.png`,
    `file://${allowed}/%2e%2e/outside/secret.png`,
    `${allowed}/link.png`,
    `${allowed}/out/secret.png`,
    `${allowed}-other/picture.png`,
    allowed,
    '/etc/passwd',
    'file:///etc/passwd',
    '../../../../etc/passwd',
  ]) {
    await assert.rejects(read(name, [allowed]), code('IMAGE_FILE_REFUSED'), name);
  }
});

test('a file that is not there says the same as one that is, outside the folder', async (t) => {
  const { allowed, outside } = await tree(t);
  await assert.rejects(read(join(outside, 'none.png'), [allowed]), code('IMAGE_FILE_REFUSED'));
  await assert.rejects(read(join(allowed, 'none.png'), [allowed]), code('IMAGE_NOT_FOUND'));
});

test('an encoded slash in a file URL is refused', async (t) => {
  const { allowed } = await tree(t);
  await assert.rejects(
    read(`file://${allowed}/..%2foutside/secret.png`, [allowed]),
    code('IMAGE_UNREADABLE'),
  );
});
