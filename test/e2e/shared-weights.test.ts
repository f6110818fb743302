import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type StartProgress, Troupe, type TroupeOptions } from '../../src/index.ts';
import { goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

const asked = goldens.slice(0, 12);

async function answers(troupe: Troupe): Promise<(readonly number[])[]> {
  const all = await Promise.all(asked.map((one) => troupe.chat({ messages: goldenMessages(one) })));
  return all.map(({ tokenIds }) => tokenIds);
}

describe('actors that share weights', () => {
  let folder: string;
  let cacheBefore: string | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-shared-'));
    cacheBefore = process.env.TROUPE_CACHE_DIR;
    process.env.TROUPE_CACHE_DIR = folder;
  });
  after(async () => {
    if (cacheBefore === undefined) delete process.env.TROUPE_CACHE_DIR;
    else process.env.TROUPE_CACHE_DIR = cacheBefore;
    await rm(folder, { recursive: true });
  });

  const packedEntries = async () =>
    (await readdir(folder)).filter((name) => name.startsWith('packed-')).length;

  const CASES: readonly TroupeOptions[] = [
    { mode: 'aggregated', pd: { count: 2 } },
    { mode: 'disaggregated', encoder: { count: 2 }, pd: { count: 2 } },
  ];
  for (const options of CASES) {
    it(`answer as they do with weights of their own, in ${options.mode} mode`, async () => {
      await using troupe = await Troupe.start({ ...options, model: PILOT_MODEL, shareWeights: 'always' });
      assert.deepEqual(
        await answers(troupe),
        asked.map(({ tokenIds }) => tokenIds),
      );
      const { weights } = await troupe.stats();
      assert.deepEqual(
        weights.map(({ graph, shared }) => [graph, shared]),
        [
          ['vision', true],
          ['embed', true],
          ['decoder', true],
        ],
      );
      assert.equal(await packedEntries(), 3, 'the second engine finds what the first has made');
    });
  }

  it('say that their weights are being prepared', async () => {
    const progress: StartProgress[] = [];
    const onProgress = (one: StartProgress) => void progress.push(one);
    await using _ = await Troupe.start({ model: PILOT_MODEL, shareWeights: 'always', onProgress });
    assert.ok(progress.some(({ message }) => message.includes('weights')));
  });

  it('are not started when starting is given up meanwhile', async () => {
    const abort = new AbortController();
    const onProgress = ({ message }: StartProgress) => {
      if (message.includes('weights')) abort.abort(new Error('changed my mind'));
    };
    const starting = Troupe.start({
      model: PILOT_MODEL,
      shareWeights: 'always',
      onProgress,
      signal: abort.signal,
    });
    await assert.rejects(starting, /changed my mind/);
  });

  it('load the model’s own files where nothing can be kept, and the reason can be read', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    process.env.TROUPE_CACHE_DIR = join(file, 'cache');
    try {
      await using troupe = await Troupe.start({ model: PILOT_MODEL, shareWeights: 'always' });
      assert.deepEqual(
        await answers(troupe),
        asked.map(({ tokenIds }) => tokenIds),
      );
      const { weights } = await troupe.stats();
      assert.deepEqual(
        weights.map(({ shared }) => shared),
        [false, false, false],
      );
      for (const { reason } of weights) assert.match(reason ?? '', /graph cache cannot be written/);
    } finally {
      process.env.TROUPE_CACHE_DIR = folder;
    }
  });

  it('are not asked to for a small model', async () => {
    await using troupe = await Troupe.start({ model: PILOT_MODEL, pd: { count: 2 } });
    assert.deepEqual((await troupe.stats()).weights, []);
  });
});
