import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { pageIn } from '../../../actors/inference/page-in.ts';

let folder: string;
let file: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-page-in-'));
  file = join(folder, 'weights');
  await writeFile(file, new Uint8Array(3_000_000));
});
after(() => rm(folder, { recursive: true }));

/** A clock that shows these times one after the other. */
function clock(...times: number[]): () => number {
  return () => times.shift() ?? assert.fail('looked too often');
}

it('what came from memory is read once', async () => {
  assert.deepEqual(await pageIn([file], clock(0, 2)), { bytes: 3_000_000, ms: 2 });
});

it('what came from a disk is read once more, and only that time counts', async () => {
  assert.deepEqual(await pageIn([file], clock(0, 60_000, 60_000, 60_001)), { bytes: 3_000_000, ms: 1 });
});

it('a file that is not there is no failure yet', async () => {
  assert.deepEqual(await pageIn([join(folder, 'none'), file], clock(0, 1)), { bytes: 3_000_000, ms: 1 });
});
