import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { CACHE_FOLDER_NAME, cacheRoots, mappedRoots } from '../../../actors/model/cache-roots.ts';
import { cachedFolder } from '../../../actors/model/graph-cache.ts';

async function root(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-cache-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

/** An entry of one file, that counts how often it is made. */
function entry(text = 'a graph') {
  const state = { made: 0 };
  const make = async (folder: string) => {
    state.made += 1;
    await writeFile(join(folder, 'graph.onnx'), text);
  };
  return { purpose: 'decoder', key: 'ab12', needs: ['graph.onnx'], make, state };
}

/** Whoever opens it waits for a writer, for ever. */
async function pipeInPlaceOf(path: string): Promise<void> {
  await rm(path);
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
}

describe('where derived files are kept', () => {
  it('TROUPE_CACHE_DIR, when set, alone', () => {
    assert.deepEqual(cacheRoots('/models/one', { TROUPE_CACHE_DIR: '/var/cache/t' }), ['/var/cache/t']);
  });

  it('beside the model first, else in the user’s cache folder', () => {
    const [beside, user] = cacheRoots('/models/one', { XDG_CACHE_HOME: '/xdg', LOCALAPPDATA: '/xdg' });
    assert.equal(beside, join('/models/one', CACHE_FOLDER_NAME));
    assert.match(user ?? '', process.platform === 'darwin' ? /Caches/ : /^[/\\]xdg[/\\]troupe$/);
  });

  it('never beside the model what actors map', () => {
    const environment = { XDG_CACHE_HOME: '/xdg', LOCALAPPDATA: '/xdg' };
    assert.deepEqual(mappedRoots(environment), cacheRoots('/models/one', environment).slice(1));
    assert.deepEqual(mappedRoots({ TROUPE_CACHE_DIR: '/var/cache/t' }), ['/var/cache/t']);
  });
});

describe('an entry', () => {
  it('is made once', async (t) => {
    const roots = [await root(t)];
    const one = entry();
    const folder = await cachedFolder(roots, one);
    assert.equal(await cachedFolder(roots, one), folder);
    assert.equal(one.state.made, 1);
    assert.equal(await readFile(join(folder, 'graph.onnx'), 'utf8'), 'a graph');
  });

  for (const [name, damage] of Object.entries({
    'was cut off': (folder: string) => truncate(join(folder, 'graph.onnx'), 3),
    'has other bytes': (folder: string) => writeFile(join(folder, 'graph.onnx'), 'b graph'),
    'lost its manifest': (folder: string) => rm(join(folder, 'manifest.json')),
    'has a manifest that is none': (folder: string) => writeFile(join(folder, 'manifest.json'), '{'),
    'has a manifest of nothing': (folder: string) =>
      writeFile(join(folder, 'manifest.json'), JSON.stringify({ files: {} })),
    'has a pipe for a manifest': (folder: string) => pipeInPlaceOf(join(folder, 'manifest.json')),
    'has a pipe for a file': (folder: string) => pipeInPlaceOf(join(folder, 'graph.onnx')),
    'has a link for a file': async (folder: string) => {
      await rename(join(folder, 'graph.onnx'), join(folder, 'elsewhere'));
      await symlink('elsewhere', join(folder, 'graph.onnx'));
    },
    'others can write to': (folder: string) => chmod(folder, 0o777),
    'has a file that others can write to': (folder: string) => chmod(join(folder, 'graph.onnx'), 0o666),
  })) {
    it(`that ${name} is made anew`, async (t) => {
      const roots = [await root(t)];
      const one = entry();
      const first = await cachedFolder(roots, one);
      await chmod(join(first, 'graph.onnx'), 0o644);
      await damage(first);
      const folder = await cachedFolder(roots, one);
      assert.equal(one.state.made, 2);
      assert.equal(await readFile(join(folder, 'graph.onnx'), 'utf8'), 'a graph');
    });
  }

  it('is not read again once its files can no longer have changed unseen', async (t) => {
    const roots = [await root(t)];
    const one = entry();
    const folder = await cachedFolder(roots, one);
    const manifest = join(folder, 'manifest.json');
    const { files } = JSON.parse(await readFile(manifest, 'utf8'));
    // Whoever reads the file again finds another hash.
    files['graph.onnx'].sha256 = 'ab'.repeat(32);
    await chmod(manifest, 0o644);
    await writeFile(manifest, JSON.stringify({ files }));
    const now = Date.now();
    t.mock.timers.enable({ apis: ['Date'], now: now + 4_000 });
    await cachedFolder(roots, one);
    assert.equal(one.state.made, 1);
    t.mock.timers.setTime(now + 1_000);
    await cachedFolder(roots, one);
    assert.equal(one.state.made, 2);
  });

  it('whose file was replaced by one of the same size and time is made anew', async (t) => {
    const roots = [await root(t)];
    const one = entry();
    const path = join(await cachedFolder(roots, one), 'graph.onnx');
    const { atime, mtime } = await stat(path);
    const other = join(roots[0] ?? '', 'other');
    await writeFile(other, 'b graph');
    await utimes(other, atime, mtime);
    await rename(other, path);
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 4_000 });
    const folder = await cachedFolder(roots, one);
    assert.equal(await readFile(join(folder, 'graph.onnx'), 'utf8'), 'a graph');
  });

  for (const which of ['', 'graph.onnx', 'manifest.json']) {
    it(`of another user (${which || 'its folder'}) is made anew`, {
      skip: process.getuid?.() !== 0,
    }, async (t) => {
      const roots = [await root(t)];
      const one = entry();
      await chown(join(await cachedFolder(roots, one), which), 65_534, 65_534);
      const folder = await cachedFolder(roots, one);
      assert.equal(one.state.made, 2);
      assert.equal((await stat(join(folder, which))).uid, 0);
    });
  }

  it('that was made with a mask that lets a group write is used all the same', async (t) => {
    const roots = [await root(t)];
    const before = process.umask(0o002);
    t.after(() => process.umask(before));
    const one = entry();
    await cachedFolder(roots, one);
    await cachedFolder(roots, one);
    assert.equal(one.state.made, 1);
  });

  it('that many make at once is one, and leaves no drafts', async (t) => {
    const path = await root(t);
    const gate = Promise.withResolvers<void>();
    let making = 0;
    const makers = Array.from({ length: 4 }, () => {
      const one = entry();
      const make = async (folder: string) => {
        making += 1;
        // Nobody is done before all have begun.
        if (making === 4) gate.resolve();
        await gate.promise;
        await one.make(folder);
      };
      return cachedFolder([path], { ...one, make });
    });
    assert.equal(new Set(await Promise.all(makers)).size, 1);
    assert.deepEqual(await readdir(path), ['decoder-ab12']);
  });

  it('of files that nobody may write to', { skip: process.platform === 'win32' }, async (t) => {
    const folder = await cachedFolder([await root(t)], { ...entry(), readers: 0o440 });
    assert.equal((await stat(join(folder, 'graph.onnx'))).mode & 0o777, 0o440);
  });

  it('that came out otherwise than was known is refused', async (t) => {
    const path = await root(t);
    const hashes = { 'graph.onnx': 'ab'.repeat(32) };
    await assert.rejects(cachedFolder([path], { ...entry(), hashes }), /graph.onnx changed while/);
    assert.deepEqual(await readdir(path), []);
  });

  it('that fails to be made leaves nothing behind', async (t) => {
    const path = await root(t);
    const make = () => Promise.reject(new Error('no graph'));
    await assert.rejects(
      cachedFolder([path], { purpose: 'decoder', key: 'ab12', needs: [], make }),
      /no graph/,
    );
    assert.deepEqual(await readdir(path), []);
  });

  it('is made without what a killed process left, but beside what another is making', async (t) => {
    const path = await root(t);
    const hours = (count: number) => new Date(Date.now() - count * 3_600_000);
    for (const [name, time] of [['.draft-1-old', hours(2)] as const, ['.draft-2-new', hours(0)] as const]) {
      await mkdir(join(path, name));
      await writeFile(join(path, name, 'part'), 'of a graph');
      await utimes(join(path, name), time, time);
    }
    await cachedFolder([path], entry());
    assert.deepEqual((await readdir(path)).sort(), ['.draft-2-new', 'decoder-ab12']);
  });

  it('goes into the next root when the first cannot be written', async (t) => {
    const path = await root(t);
    await writeFile(join(path, 'file'), '');
    // A file where the folder should be: unwritable for every user, root included.
    const folder = await cachedFolder([join(path, 'file', 'cache'), join(path, 'second')], entry());
    assert.equal(folder, join(path, 'second', 'decoder-ab12'));
  });

  it('is found in a later root', async (t) => {
    const path = await root(t);
    const one = entry();
    await cachedFolder([join(path, 'second')], one);
    await mkdir(join(path, 'first'));
    assert.equal(
      await cachedFolder([join(path, 'first'), join(path, 'second')], one),
      join(path, 'second', 'decoder-ab12'),
    );
    assert.equal(one.state.made, 1);
  });

  it('without any writable root fails with the system’s error', async (t) => {
    const path = await root(t);
    await writeFile(join(path, 'file'), '');
    await assert.rejects(cachedFolder([join(path, 'file', 'cache')], entry()), { code: 'ENOTDIR' });
  });
});
