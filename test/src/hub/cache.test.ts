import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { modelsIn } from '../../../src/hub/cached-models.ts';
import { openModelFolder } from '../../../src/hub/model-folder.ts';
import { removeModel } from '../../../src/hub/remove-model.ts';
import { openModel } from '../../../src/inspect/load-model.ts';
import { hashOf, repoOf, repoOfFolder } from '../../support/hub-server.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';
import { type HubCache, hubCache, NAME, smallModel } from './support/hub-cache.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** By hand, after huggingface_hub's documentation of its cache ("Understand caching"). */
function layOut(cache: HubCache, { links, ref = 'main' }: { links: boolean; ref?: string }): string {
  const root = join(cache.settings.cacheFolder, 'models--troupe--small');
  const snapshot = join(root, 'snapshots', COMMIT);
  for (const [path, bytes] of repoOfFolder(PILOT_MODEL).files) {
    const pointer = join(snapshot, path);
    mkdirSync(dirname(pointer), { recursive: true });
    if (!links) writeFileSync(pointer, bytes);
    else {
      const hash = hashOf(path, bytes);
      mkdirSync(join(root, 'blobs'), { recursive: true });
      writeFileSync(join(root, 'blobs', hash), bytes);
      symlinkSync(join(...path.split('/').map(() => '..'), '..', 'blobs', hash), pointer);
    }
  }
  mkdirSync(dirname(join(root, 'refs', ref)), { recursive: true });
  writeFileSync(join(root, 'refs', ref), COMMIT);
  return snapshot;
}

/** As the engine finds a model, with this cache and no other. */
async function withEnvironment<T>(
  cache: HubCache,
  more: NodeJS.ProcessEnv,
  work: () => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  const { endpoint, cacheFolder } = cache.settings;
  Object.assign(process.env, { HF_ENDPOINT: endpoint, HF_HUB_CACHE: cacheFolder, ...more });
  try {
    return await work();
  } finally {
    process.env = before;
  }
}

const openNamed = (model: string) =>
  openModelFolder(
    model,
    { dtype: undefined },
    async (folder) => (await openModel({ model: folder, dtype: undefined, promptTemplate: undefined })).path,
  );

describe('the cache of huggingface_hub', () => {
  for (const links of [true, false]) {
    it(`is used without a word to the Hub, ${links ? 'with' : 'without'} links`, async () => {
      await using cache = await hubCache();
      const snapshot = layOut(cache, { links });
      await withEnvironment(cache, {}, async () => {
        assert.equal(await openNamed(NAME), snapshot);
        assert.equal(await openNamed(`${NAME}@${COMMIT}`), snapshot);
      });
      assert.equal(cache.hub.served.length, 0);
    });
  }

  it('is used by the name of a branch with slashes', async () => {
    await using cache = await hubCache();
    const snapshot = layOut(cache, { links: true, ref: 'refs/pr/1' });
    await withEnvironment(cache, { HF_HUB_OFFLINE: '1' }, async () => {
      assert.equal(await openNamed(`${NAME}@refs/pr/1`), snapshot);
      await assert.rejects(openNamed(NAME), { code: 'HUB_OFFLINE' });
    });
  });

  it('is completed when it has some files only', async () => {
    await using cache = await hubCache();
    const repo = repoOfFolder(PILOT_MODEL);
    cache.hub.repos.set(NAME, repo);
    await cache.pull();
    const root = join(cache.settings.cacheFolder, 'models--troupe--small');
    const decoder = [...repo.files].find(([path]) => path.includes('decoder'));
    assert(decoder !== undefined);
    const [path, bytes] = decoder;
    // As after a download of other files alone.
    rmSync(join(root, 'snapshots', repo.commit, path));
    rmSync(join(root, 'blobs', hashOf(path, bytes)));
    await withEnvironment(cache, { HF_HUB_OFFLINE: '1' }, async () => {
      await assert.rejects(openNamed(NAME), {
        code: 'HUB_OFFLINE',
        message: /does not have all of its files/,
      });
    });
    await withEnvironment(cache, {}, async () => {
      assert.equal(await openNamed(NAME), join(root, 'snapshots', repo.commit));
    });
    assert.equal(cache.hub.requestsFor('config.json'), 1);
  });

  it('remembers when a model was used', async () => {
    await using cache = await hubCache();
    const snapshot = layOut(cache, { links: true });
    const longAgo = new Date('2001-01-01');
    for (const path of repoOfFolder(PILOT_MODEL).files.keys())
      utimesSync(join(snapshot, path), longAgo, longAgo);
    // However often somebody looks.
    for (let i = 0; i < 2; i++)
      assert.equal((await modelsIn(cache.settings))[0]?.lastUsed?.getFullYear(), 2001);
    const startedMs = Date.now();
    await withEnvironment(cache, {}, () => openNamed(NAME));
    const used = (await modelsIn(cache.settings))[0]?.lastUsed?.getTime() ?? 0;
    assert(used >= startedMs - 1000);
    assert.deepEqual(statSync(join(snapshot, 'config.json')).mtime, longAgo);
  });
});

describe('listModels', () => {
  it('tells what is there', async () => {
    await using cache = await hubCache();
    const path = layOut(cache, { links: true });
    const [model, ...others] = await modelsIn(cache.settings);
    const bytes = [...repoOfFolder(PILOT_MODEL).files.values()].reduce((sum, file) => sum + file.length, 0);
    assert.deepEqual(
      { ...model, lastUsed: undefined },
      {
        ...{
          name: NAME,
          commit: COMMIT,
          path,
          bytes,
          dtypes: ['fp32'],
          modelType: 'idefics3',
          supported: true,
        },
        ...{ modes: ['aggregated', 'disaggregated'], lastUsed: undefined },
      },
    );
    assert.equal(others.length, 0);
  });

  it('leaves out what has no ONNX graphs, and what is no model', async () => {
    await using cache = await hubCache();
    const folder = cache.settings.cacheFolder;
    for (const name of ['datasets--a--b', '.locks', 'models--a--b']) {
      mkdirSync(join(folder, name, 'snapshots', COMMIT), { recursive: true });
      writeFileSync(join(folder, name, 'snapshots', COMMIT, 'model.safetensors'), 'x');
    }
    assert.deepEqual(await modelsIn(cache.settings), []);
  });

  it('tells of a download that was not ended', async () => {
    await using cache = await hubCache();
    const blobs = join(cache.settings.cacheFolder, 'models--troupe--small', 'blobs');
    mkdirSync(blobs, { recursive: true });
    writeFileSync(join(blobs, 'abc.incomplete'), 'xyz');
    const [model] = await modelsIn(cache.settings);
    assert.deepEqual([model?.name, model?.bytes, model?.path, model?.dtypes], [NAME, 3, undefined, []]);
  });

  it('is empty where there is no cache', async () => {
    await using cache = await hubCache();
    assert.deepEqual(await modelsIn(cache.settings), []);
  });
});

describe('removeModel', () => {
  it('removes all of a model', async () => {
    await using cache = await hubCache();
    layOut(cache, { links: true });
    await withEnvironment(cache, {}, () => removeModel(NAME));
    const root = join(cache.settings.cacheFolder, 'models--troupe--small');
    assert(!existsSync(root));
    await withEnvironment(cache, {}, () => assert.rejects(removeModel(NAME), { code: 'MODEL_NOT_CACHED' }));
  });

  it('removes one revision, and keeps what another has', async () => {
    await using cache = await hubCache();
    const old = repoOf(smallModel());
    cache.hub.repos.set(NAME, old);
    await cache.pull(`${NAME}@v1`, { dtype: 'q4' });
    cache.hub.repos.set(NAME, repoOf(smallModel([['preprocessor_config.json', Buffer.from('{}\n')]])));
    const { path } = await cache.pull(NAME, { dtype: 'q4' });
    const root = join(cache.settings.cacheFolder, 'models--troupe--small');
    await withEnvironment(cache, {}, () => removeModel(`${NAME}@main`));
    assert(!existsSync(path));
    assert(!existsSync(join(root, 'refs', 'main')));
    assert(!existsSync(join(root, 'blobs', hashOf('preprocessor_config.json', Buffer.from('{}\n')))));
    const kept = join(root, 'snapshots', old.commit, 'onnx', 'embed_tokens_q4.onnx');
    assert.equal(readFileSync(kept).length, 1000);
  });

  for (const name of ['../..', 'a/../b', 'troupe/small@../../x']) {
    it(`refuses ${name}`, async () => {
      await using cache = await hubCache();
      await withEnvironment(cache, {}, () =>
        assert.rejects(removeModel(name), { code: 'MODEL_NAME_INVALID' }),
      );
    });
  }
});
