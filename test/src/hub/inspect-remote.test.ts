import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DEFAULT_MODEL_DIRECTORY } from '../../../src/default-model.ts';
import { inspectModel } from '../../../src/inspect/inspect-model.ts';
import { repoOf, repoOfFolder } from '../../support/hub-server.ts';
import { hubCache, NAME, smallModel } from './support/hub-cache.ts';

describe('inspectModel of a model on the Hub', () => {
  const before = { ...process.env };

  it('says what it says of the fetched model, without its weights', async () => {
    await using cache = await hubCache();
    const repo = repoOfFolder(DEFAULT_MODEL_DIRECTORY);
    cache.hub.repos.set(NAME, repo);
    Object.assign(process.env, { HF_ENDPOINT: cache.hub.endpoint, HF_HUB_CACHE: cache.settings.cacheFolder });
    try {
      const remote = await inspectModel({ model: NAME });
      const local = await inspectModel({ model: DEFAULT_MODEL_DIRECTORY });
      assert.deepEqual([remote.path, remote.fetched, remote.decoder.rewritten], [NAME, false, false]);
      const same = ({ modelType, encoding, geometry, graphs, modes, cores }: typeof remote) => ({
        ...{ modelType, encoding, geometry, modes, cores },
        graphs: graphs.map(({ quantization: _, ...graph }) => graph),
      });
      assert.deepEqual(same(remote), same(local));
      assert(!existsSync(cache.settings.cacheFolder), 'nothing was put into the cache');
      // Reads come in pieces, larger than many of this model's matrices.
      for (const path of ['onnx/vision_encoder.onnx', 'onnx/decoder_model_merged.onnx']) {
        const size = repo.files.get(path)?.length ?? 0;
        assert(cache.hub.sentBytes(path) < 0.6 * size, `${cache.hub.sentBytes(path)} of ${size} of ${path}`);
      }
    } finally {
      process.env = before;
    }
  });

  it('comes again where it was cut off, and fails as a pull does', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOfFolder(DEFAULT_MODEL_DIRECTORY));
    cache.hub.repos.set('troupe/noise', repoOf(smallModel()));
    const cut = { kind: 'status', status: 503, headers: { 'retry-after': '0' } } as const;
    cache.hub.faults.push({ matches: ({ path }) => path.endsWith('.onnx'), times: 2, fault: cut });
    Object.assign(process.env, { HF_ENDPOINT: cache.hub.endpoint, HF_HUB_CACHE: cache.settings.cacheFolder });
    try {
      assert.equal((await inspectModel({ model: NAME, dtype: 'q4' })).modelType, 'idefics3');
      await assert.rejects(inspectModel({ model: NAME, dtype: 'int8' }), { code: 'MODEL_DTYPE_MISSING' });
      await assert.rejects(inspectModel({ model: 'troupe/none' }), { code: 'MODEL_NOT_ON_HUB' });
      await assert.rejects(inspectModel({ model: 'troupe/noise' }), { code: 'MODEL_FILE_CORRUPT' });
    } finally {
      process.env = before;
    }
  });
});
