import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { encodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import type { DownloadProgress } from '../../../src/hub/download-progress.ts';
import { gitHash, hashOf, repoOf, sha256 } from '../../support/hub-server.ts';
import { hubCache, NAME, noise, smallModel } from './support/hub-cache.ts';

const CONFIGURATION = ['chat_template.jinja', 'config.json', 'generation_config.json', 'tokenizer.json'];
const Q4 = ['onnx/decoder_model_merged_q4.onnx', 'onnx/embed_tokens_q4.onnx', 'onnx/vision_encoder_q4.onnx'];

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
}

/** A graph whose weights lie in a file of this name. */
function graphWithData(location: string, length: number): Buffer {
  const dims = [BigInt(length)];
  const entries = [
    { key: 'location', value: location },
    { key: 'length', value: String(length) },
  ];
  const weights = { name: 'w', dataType: 3, dims, dataLocation: 1, externalData: entries };
  return Buffer.from(
    encodeModel({
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 17n }],
      graph: { name: 'g', node: [], initializer: [weights], input: [], output: [{ name: 'w' }] },
    }),
  );
}

describe('pullModel', () => {
  it('lays files out as huggingface_hub does', async () => {
    await using cache = await hubCache();
    const files = smallModel();
    const repo = repoOf(files);
    cache.hub.repos.set(NAME, repo);
    const pulled = await cache.pull(NAME, { dtype: 'q4' });
    const folder = join(cache.settings.cacheFolder, 'models--troupe--small');
    assert.equal(pulled.path, join(folder, 'snapshots', repo.commit));
    assert.equal(readFileSync(join(folder, 'refs', 'main'), 'utf8'), repo.commit);
    const wanted = [...CONFIGURATION, ...Q4];
    assert.deepEqual(filesIn(pulled.path), wanted.toSorted());
    const hashes = wanted.map((path) => hashOf(path, repo.files.get(path) ?? Buffer.alloc(0)));
    assert.deepEqual(readdirSync(join(folder, 'blobs')).sort(), hashes.sort());
    for (const path of wanted) {
      const bytes = repo.files.get(path) ?? Buffer.alloc(0);
      const up = path.includes('/') ? '../../../blobs' : '../../blobs';
      assert.equal(readlinkSync(join(pulled.path, path)), `${up}/${hashOf(path, bytes)}`);
      assert.deepEqual(readFileSync(join(pulled.path, path)), bytes);
    }
  });

  it('fetches nothing but the graphs of the precision asked for', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOf(smallModel()));
    await cache.pull(NAME, { dtype: 'q4' });
    const resolved = cache.hub.served.filter(({ path }) => path.includes('/resolve/'));
    assert.deepEqual(
      resolved.map(({ path }) => path.replace(/^.*\/resolve\/[^/]+\//, '')).sort(),
      [...CONFIGURATION, ...Q4].sort(),
    );
  });

  it('takes the best precision there is when none is asked for', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOf(smallModel()));
    const { path } = await cache.pull(NAME);
    assert(filesIn(path).includes('onnx/decoder_model_merged.onnx'));
    assert(!filesIn(path).includes('onnx/decoder_model_merged_q4.onnx'));
  });

  it('fetches nothing twice, and asks for what is newer', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOf(smallModel()));
    const first = await cache.pull(NAME, { dtype: 'q4' });
    const again = await cache.pull(NAME, { dtype: 'q4' });
    assert.deepEqual([first.fetchedFiles, again.fetchedFiles], [7, 0]);
    const newer = smallModel([['preprocessor_config.json', Buffer.from('{"new":1}')]]);
    cache.hub.repos.set(NAME, repoOf(newer));
    const third = await cache.pull(NAME, { dtype: 'q4' });
    assert.equal(third.fetchedFiles, 1);
    assert.notEqual(third.commit, first.commit);
  });

  it('keeps another revision beside, and shares what they have in common', async () => {
    await using cache = await hubCache();
    const repo = repoOf(smallModel());
    cache.hub.repos.set(NAME, repo);
    await cache.pull(NAME, { dtype: 'q4' });
    const { fetchedFiles, revision } = await cache.pull(`${NAME}@refs/pr/1`, { dtype: 'q4' });
    assert.deepEqual([fetchedFiles, revision], [0, 'refs/pr/1']);
    const ref = join(cache.settings.cacheFolder, 'models--troupe--small', 'refs', 'refs', 'pr', '1');
    assert.equal(readFileSync(ref, 'utf8'), repo.commit);
  });

  it('lays files into the snapshot where there are no links', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOf(smallModel()));
    const { path } = await cache.pull(NAME, { dtype: 'q4' }, { symlinks: false });
    assert.throws(() => readlinkSync(join(path, 'config.json')), { code: 'EINVAL' });
    assert.deepEqual(readdirSync(join(path, '..', '..', 'blobs')), []);
    assert.equal((await cache.pull(NAME, { dtype: 'q4' }, { symlinks: false })).fetchedFiles, 0);
  });

  it('fetches the data beside a graph, by its name', async () => {
    await using cache = await hubCache();
    const data = noise(500, 'data');
    cache.hub.repos.set(
      NAME,
      repoOf(
        smallModel([
          ['onnx/decoder_model_merged_q4.onnx_data', data],
          ['onnx/decoder_model_merged_q4.onnx_data_1', noise(501, 'data 1')],
          ['onnx/decoder_model_merged.onnx_data', noise(900, 'of another')],
        ]),
      ),
    );
    const { path } = await cache.pull(NAME, { dtype: 'q4' });
    const fetched = filesIn(path).filter((file) => file.includes('_data'));
    assert.deepEqual(
      fetched,
      Q4.slice(0, 1).flatMap((file) => [`${file}_data`, `${file}_data_1`]),
    );
  });

  it('fetches the data that a graph names, whatever it is called', async () => {
    await using cache = await hubCache();
    const files = smallModel([
      ['onnx/weights.bin', noise(64, 'weights')],
      ['onnx/notes.bin', noise(64, 'notes')],
    ]);
    const graph = graphWithData('weights.bin', 64);
    const withGraphs = files.map(
      ([path, bytes]) => [path, path.endsWith('_q4.onnx') ? graph : bytes] as const,
    );
    cache.hub.repos.set(NAME, repoOf(withGraphs));
    let last: DownloadProgress | undefined;
    const onProgress = (told: DownloadProgress) => {
      last = told;
    };
    const { path } = await cache.pull(NAME, { dtype: 'q4', onProgress });
    assert.equal(last?.receivedBytes, last?.totalBytes);
    assert.deepEqual(
      filesIn(path).filter((file) => file.endsWith('.bin')),
      ['onnx/weights.bin'],
    );
  });

  it('sends the token to the Hub, and to no other host', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOf(smallModel(), { token: 'a-token-of-a-mirror' }));
    await cache.pull(NAME, { dtype: 'q4' }, { token: 'a-token-of-a-mirror' });
    const { served } = cache.hub;
    const toHub = served.filter(({ origin }) => origin === 'hub');
    assert(toHub.every(({ authorization }) => authorization === 'Bearer a-token-of-a-mirror'));
    const toCdn = served.filter(({ origin }) => origin === 'cdn');
    assert.equal(toCdn.length, 3);
    assert(toCdn.every(({ authorization }) => authorization === undefined));
  });

  it('tells how far it is, from nothing to all', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOf(smallModel()));
    const told: DownloadProgress[] = [];
    await cache.pull(NAME, { dtype: 'q4', onProgress: (progress) => told.push(progress) });
    const last = told.at(-1);
    assert.equal(last?.receivedBytes, last?.totalBytes);
    const sizes = told.map(({ receivedBytes }) => receivedBytes);
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => a - b),
    );
  });

  it('has empty files, too', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOf(smallModel([['empty.json', Buffer.alloc(0)]])));
    const { path } = await cache.pull(NAME, { dtype: 'q4' });
    assert.equal(readFileSync(join(path, 'empty.json')).length, 0);
  });

  it('knows the hashes of git and of LFS', () => {
    // `git hash-object` and `sha256sum` of a file with these six bytes.
    assert.equal(gitHash(Buffer.from('hello\n')), 'ce013625030ba8dba906f756967f9e9ca394464a');
    const expected = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
    assert.equal(sha256(Buffer.from('hello\n')), expected);
  });
});
