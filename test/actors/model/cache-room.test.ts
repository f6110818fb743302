import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, statfs, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { COPIED_WEIGHTS, makeRoom, PACKED_WEIGHTS } from '../../../actors/model/cache-room.ts';
import { cachedFolder, MANIFEST, used } from '../../../actors/model/graph-cache.ts';

async function root(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-room-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

/** An entry that was used so many days ago. */
async function entry(path: string, purpose: string, key: string, days: number): Promise<string> {
  const folder = await cachedFolder([path], {
    ...{ purpose, key, needs: ['weights'] },
    make: (draft) => writeFile(join(draft, 'weights'), 'some'),
  });
  const time = new Date(Date.now() - days * 86_400_000);
  await utimes(join(folder, MANIFEST), time, time);
  return folder;
}

it('weights that nobody used for a month leave when others come', async (t) => {
  const path = await root(t);
  await entry(path, COPIED_WEIGHTS, 'old', 31);
  await entry(path, PACKED_WEIGHTS, 'old', 31);
  await entry(path, COPIED_WEIGHTS, 'known', 29);
  await entry(path, 'decoder', 'small', 31);
  await used(await entry(path, COPIED_WEIGHTS, 'again', 31));
  await makeRoom(path, 1);
  assert.deepEqual((await readdir(path)).sort(), ['decoder-small', 'weights-again', 'weights-known']);
});

it('where there is no room, all leave that nobody used for a day', async (t) => {
  const path = await root(t);
  await entry(path, COPIED_WEIGHTS, 'yesterday', 1.5);
  await entry(path, COPIED_WEIGHTS, 'today', 0.5);
  const { bavail, bsize } = await statfs(path);
  await assert.rejects(makeRoom(path, bavail * bsize), /too much for the disk \([0-9]+ MB are free/);
  assert.deepEqual(await readdir(path), ['weights-today']);
});
