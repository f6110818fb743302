import assert from 'node:assert/strict';
import { chmod, copyFile, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { type CopiedWeights, copiedWeights, type WeightFile } from '../../../actors/model/weight-copies.ts';
import { ownCache } from '../../support/own-cache.ts';

/** A file with weights, and the cache of this test. */
async function weights(t: TestContext, text = 'weights'): Promise<{ file: WeightFile; cache: string }> {
  const { folder, cache } = await ownCache(t);
  const path = join(folder, 'graph.onnx_data');
  await writeFile(path, text);
  return { file: { path, names: ['graph.onnx_data'] }, cache };
}

function folderOf(copied: CopiedWeights): string {
  assert.ok(copied.copied, copied.copied ? '' : copied.reason);
  return copied.folder;
}

it('a copy is another file, which the original can be cut without', async (t) => {
  const { file } = await weights(t);
  const copy = join(folderOf(await copiedWeights([file])), 'graph.onnx_data');
  await truncate(file.path);
  assert.equal(await readFile(copy, 'utf8'), 'weights');
});

it('the same weights in another place have the same copy', async (t) => {
  const { file } = await weights(t);
  const folder = folderOf(await copiedWeights([file]));
  const { ino } = await stat(join(folder, 'graph.onnx_data'));
  await copyFile(file.path, `${file.path}-2`);
  assert.equal(folderOf(await copiedWeights([{ ...file, path: `${file.path}-2` }])), folder);
  assert.equal((await stat(join(folder, 'graph.onnx_data'))).ino, ino);
});

it('other weights of the same size and time have another copy', async (t) => {
  const { file } = await weights(t);
  const { atime, mtime } = await stat(file.path);
  const folder = folderOf(await copiedWeights([file]));
  await writeFile(file.path, 'WEIGHTS');
  await utimes(file.path, atime, mtime);
  const other = folderOf(await copiedWeights([file]));
  assert.notEqual(other, folder);
  assert.equal(await readFile(join(other, 'graph.onnx_data'), 'utf8'), 'WEIGHTS');
});

it('a copy that was cut is made anew', async (t) => {
  const { file } = await weights(t);
  const copy = join(folderOf(await copiedWeights([file])), 'graph.onnx_data');
  await chmod(copy, 0o644);
  await truncate(copy, 3);
  assert.equal(
    await readFile(join(folderOf(await copiedWeights([file])), 'graph.onnx_data'), 'utf8'),
    'weights',
  );
});

it('a file may have several names', async (t) => {
  const { file } = await weights(t);
  const folder = folderOf(await copiedWeights([{ ...file, names: ['a', 'b'] }]));
  assert.deepEqual((await readdir(folder)).sort(), ['a', 'b', 'manifest.json']);
});

it('who may not read the weights may not read the copy', {
  skip: process.platform === 'win32',
}, async (t) => {
  const { file } = await weights(t);
  await chmod(file.path, 0o600);
  const copy = join(folderOf(await copiedWeights([file])), 'graph.onnx_data');
  assert.equal((await stat(copy)).mode & 0o777, 0o400);
});

it('that none can be kept is said', async (t) => {
  const { file } = await weights(t);
  process.env.TROUPE_CACHE_DIR = join(file.path, 'cache');
  const copied = await copiedWeights([file]);
  assert.match(copied.copied ? '' : copied.reason, /^the graph cache cannot be written: .*ENOTDIR/);
});
