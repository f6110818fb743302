import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { type FaultRule, repoOf, type Served, sha256 } from '../../support/hub-server.ts';
import { ended, startCli } from '../cli/support/run-cli.ts';
import { type HubCache, hubCache, NAME, noise, smallModel } from './support/hub-cache.ts';

const DECODER = 'onnx/decoder_model_merged_q4.onnx';
const MIB = 1024 * 1024;

const isDecoder = ({ origin, path }: Served) => origin === 'cdn' && path.endsWith(DECODER);

function withDecoder(cache: HubCache, decoder: Buffer): void {
  const files = smallModel().map(([path, bytes]) => [path, path === DECODER ? decoder : bytes] as const);
  cache.hub.repos.set(NAME, repoOf(files));
}

function blobsOf(cache: HubCache): string {
  return join(cache.settings.cacheFolder, 'models--troupe--small', 'blobs');
}

/** Resolves when the file has the size. */
async function grown(path: string, size: number): Promise<void> {
  const sizeNow = () => (existsSync(path) ? statSync(path).size : 0);
  const stop = new AbortController();
  const events = watch(join(path, '..'), { signal: stop.signal });
  if (sizeNow() >= size) return;
  for await (const _event of events) if (sizeNow() >= size) return stop.abort();
}

describe('a download that breaks', () => {
  it('goes on at 60 % after the connection was cut, with 1 % of the bytes twice at most', async () => {
    await using cache = await hubCache();
    const decoder = noise(10 * MIB, 'large');
    withDecoder(cache, decoder);
    const cut = { kind: 'cut', afterBytes: 0.6 * decoder.length } as const;
    cache.hub.faults.push({ matches: isDecoder, fault: cut });
    const { path } = await cache.pull(NAME, { dtype: 'q4' });
    assert.deepEqual(readFileSync(join(path, DECODER)), decoder);
    const [first, second, ...others] = cache.hub.served.filter(isDecoder);
    assert.equal(first?.range, undefined);
    assert(Number(second?.range?.match(/\d+/)) > 0.59 * decoder.length);
    assert.equal(others.length, 0);
    assert(cache.hub.sentBytes(DECODER) <= 1.01 * decoder.length);
  });

  it('goes on after its process was killed at 60 %, with 1 % of the bytes twice at most', async () => {
    await using cache = await hubCache();
    const decoder = noise(10 * MIB, 'large');
    withDecoder(cache, decoder);
    const env = { ...process.env, HF_ENDPOINT: cache.hub.endpoint, HF_HUB_CACHE: cache.settings.cacheFolder };
    const part = 0.6 * decoder.length;
    const held = Promise.withResolvers<void>();
    const hold = { kind: 'hold', afterBytes: part, held: held.resolve } as const;
    cache.hub.faults.push({ matches: isDecoder, fault: hold });
    const child = startCli(['pull', NAME, '--dtype', 'q4'], { env });
    await held.promise;
    await grown(join(blobsOf(cache), `${sha256(decoder)}.incomplete`), part);
    child.kill('SIGKILL');
    assert.equal((await ended(child)).signal, 'SIGKILL');
    const { path } = await cache.pull(NAME, { dtype: 'q4' });
    assert.deepEqual(readFileSync(join(path, DECODER)), decoder);
    assert(cache.hub.sentBytes(DECODER) <= 1.01 * decoder.length);
    assert.equal(cache.hub.requestsFor('tokenizer.json'), 1);
  });

  it('fetches a large file in pieces side by side, and goes on with each', async () => {
    await using cache = await hubCache();
    const decoder = noise(70 * MIB, 'very large');
    withDecoder(cache, decoder);
    const half = decoder.length / 2;
    const cut = { kind: 'cut', afterBytes: MIB } as const;
    cache.hub.faults.push({ matches: isDecoder, times: 2, fault: cut });
    const { path } = await cache.pull(NAME, { dtype: 'q4' });
    assert.equal(sha256(readFileSync(join(path, DECODER))), sha256(decoder));
    const ranges = cache.hub.served.filter(isDecoder).map(({ range }) => range);
    const last = decoder.length - 1;
    assert.deepEqual(
      ranges.toSorted(),
      [
        ...[`bytes=0-${half - 1}`, `bytes=${half}-${last}`],
        ...[`bytes=${MIB}-${half - 1}`, `bytes=${half + MIB}-${last}`],
      ].toSorted(),
    );
    assert(readdirSync(blobsOf(cache)).every((name) => !name.includes('incomplete')));
  });

  it('begins anew where only whole files are sent', async () => {
    await using cache = await hubCache();
    const decoder = noise(MIB, 'no ranges');
    withDecoder(cache, decoder);
    cache.hub.faults.push({ matches: isDecoder, fault: { kind: 'cut', afterBytes: 1000 } });
    cache.hub.faults.push({ matches: isDecoder, fault: { kind: 'no-ranges' } });
    const { path } = await cache.pull(NAME, { dtype: 'q4' });
    assert.deepEqual(readFileSync(join(path, DECODER)), decoder);
  });

  it('keeps what came when it is given up', async () => {
    await using cache = await hubCache();
    const decoder = noise(MIB, 'given up');
    withDecoder(cache, decoder);
    const held = Promise.withResolvers<void>();
    const hold = { kind: 'hold', afterBytes: MIB / 2, held: held.resolve } as const;
    cache.hub.faults.push({ matches: isDecoder, fault: hold });
    const giveUp = new AbortController();
    const pulling = cache.pull(NAME, { dtype: 'q4', signal: giveUp.signal });
    await held.promise;
    await grown(join(blobsOf(cache), `${sha256(decoder)}.incomplete`), MIB / 2);
    const reason = new Error('enough');
    giveUp.abort(reason);
    await assert.rejects(pulling, reason);
    await cache.pull(NAME, { dtype: 'q4' });
    assert.equal(cache.hub.sentBytes(DECODER), decoder.length);
  });

  it('ends at once and without a word when Ctrl-C is pressed', async () => {
    await using cache = await hubCache();
    withDecoder(cache, noise(MIB, 'interrupted'));
    const env = { ...process.env, HF_ENDPOINT: cache.hub.endpoint, HF_HUB_CACHE: cache.settings.cacheFolder };
    const held = Promise.withResolvers<void>();
    const hold = { kind: 'hold', afterBytes: MIB / 2, held: held.resolve } as const;
    cache.hub.faults.push({ matches: isDecoder, fault: hold });
    const child = startCli(['pull', NAME, '--dtype', 'q4'], { env });
    const said = text(child.stderr);
    await held.promise;
    child.kill('SIGINT');
    assert.deepEqual(await ended(child), { code: 130, signal: null });
    assert.equal(await said, '');
  });

  const BUSY: readonly FaultRule['fault'][] = [
    { kind: 'status', status: 429, headers: { 'retry-after': '0' } },
    { kind: 'status', status: 503, headers: { 'retry-after': '0' } },
  ];
  for (const fault of BUSY) {
    const status = fault.kind === 'status' ? fault.status : 0;
    it(`comes again after ${status}, when the Hub says so`, async () => {
      await using cache = await hubCache();
      cache.hub.repos.set(NAME, repoOf(smallModel()));
      cache.hub.faults.push({ matches: ({ path }) => path.includes('/revision/'), times: 2, fault });
      cache.hub.faults.push({ matches: ({ path }) => path.includes('/tree/'), times: 2, fault });
      cache.hub.faults.push({ matches: isDecoder, times: 2, fault });
      assert.equal((await cache.pull(NAME, { dtype: 'q4' })).fetchedFiles, 7);
    });
  }

  it('gives up when the Hub is asked too often for too long', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOf(smallModel()));
    const fault = { kind: 'status', status: 429, headers: { 'retry-after': '3600' } } as const;
    cache.hub.faults.push({ matches: ({ path }) => path.includes('/revision/'), fault });
    await assert.rejects(cache.pull(), { code: 'HUB_RATE_LIMITED' });
  });

  it('fetches a file with a wrong hash once more', async () => {
    await using cache = await hubCache();
    const decoder = noise(MIB, 'wrong once');
    withDecoder(cache, decoder);
    cache.hub.faults.push({ matches: isDecoder, fault: { kind: 'wrong-bytes' } });
    const { path } = await cache.pull(NAME, { dtype: 'q4' });
    assert.deepEqual(readFileSync(join(path, DECODER)), decoder);
  });

  for (const wrong of [DECODER, 'tokenizer.json']) {
    it(`leaves nothing of ${wrong} when its hash stays wrong`, async () => {
      await using cache = await hubCache();
      const repo = repoOf(smallModel());
      cache.hub.repos.set(NAME, repo);
      const matches = (one: Served) =>
        one.path.endsWith(wrong) && (one.origin === 'cdn' || wrong !== DECODER);
      cache.hub.faults.push({ matches, times: 9, fault: { kind: 'wrong-bytes' } });
      await assert.rejects(cache.pull(NAME, { dtype: 'q4' }), {
        code: 'DOWNLOAD_HASH_WRONG',
        message: new RegExp(`^${wrong.replaceAll('.', '\\.')}: `),
      });
      const snapshot = join(cache.settings.cacheFolder, 'models--troupe--small', 'snapshots', repo.commit);
      assert(!existsSync(join(snapshot, wrong)));
      const left = readdirSync(blobsOf(cache));
      assert(
        left.every((name) => !name.includes('incomplete')),
        left.join(),
      );
      cache.hub.faults.length = 0;
      await cache.pull(NAME, { dtype: 'q4' });
      assert(existsSync(join(snapshot, wrong)));
    });
  }
});

describe('two processes at once', () => {
  it('fetch each file once', async () => {
    await using cache = await hubCache();
    const decoder = noise(2 * MIB, 'shared');
    withDecoder(cache, decoder);
    const env = { ...process.env, HF_ENDPOINT: cache.hub.endpoint, HF_HUB_CACHE: cache.settings.cacheFolder };
    const held = Promise.withResolvers<void>();
    const hold = { kind: 'hold', afterBytes: MIB, held: held.resolve } as const;
    cache.hub.faults.push({ matches: isDecoder, fault: hold });
    const giveUp = new AbortController();
    const first = cache.pull(NAME, { dtype: 'q4', signal: giveUp.signal });
    await held.promise;
    const waits = Promise.withResolvers<void>();
    const second = cache.pull(NAME, { dtype: 'q4', onWait: waits.resolve });
    const third = startCli(['pull', NAME, '--dtype', 'q4', '--json'], { env });
    await waits.promise;
    await grown(join(blobsOf(cache), `${sha256(decoder)}.incomplete`), MIB);
    giveUp.abort(new Error('the first one leaves'));
    await assert.rejects(first, /the first one leaves/);
    await second;
    assert.equal((await ended(third)).code, 0);
    assert.equal(cache.hub.sentBytes(DECODER), decoder.length);
    for (const path of ['config.json', 'tokenizer.json', 'onnx/embed_tokens_q4.onnx']) {
      assert.equal(cache.hub.requestsFor(path), 1, path);
    }
  });
});
