import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { type HubRepo, repoOf } from '../../support/hub-server.ts';
import { BIN } from '../cli/support/run-cli.ts';
import { hubCache, NAME, noise, smallModel } from './support/hub-cache.ts';

interface Wrong {
  readonly what: string;
  readonly code: string;
  /** In the message, which is what a person sees. */
  readonly says: RegExp;
  readonly repo?: HubRepo;
  readonly model?: string;
  readonly token?: string;
  readonly dtype?: 'int8';
}

const CASES: readonly Wrong[] = [
  {
    what: 'a model that is not there',
    code: 'MODEL_NOT_ON_HUB',
    model: 'troupe/none',
    says: /troupe\/none.*HF_TOKEN/,
  },
  {
    what: 'a model that is not there, asked for with a token',
    ...{ code: 'MODEL_NOT_ON_HUB', model: 'troupe/none', token: 'hf_x', says: /troupe\/none/ },
  },
  {
    what: 'a private model, without a token',
    ...{ code: 'MODEL_NOT_ON_HUB', says: /private model needs HF_TOKEN/ },
    repo: repoOf(smallModel(), { token: 'hf_owner' }),
  },
  {
    what: 'a revision that is not there',
    ...{ code: 'MODEL_REVISION_NOT_FOUND', model: `${NAME}@none`, says: /troupe\/small@none/ },
  },
  {
    what: 'a gated model, without a token',
    ...{ code: 'MODEL_GATED', says: /Ask for access at http:.*\/troupe\/small, then set HF_TOKEN/ },
    repo: repoOf(smallModel(), { gated: true }),
  },
  {
    what: 'a gated model, with the token of somebody without access',
    ...{ code: 'MODEL_GATED', token: 'hf_x', says: /Ask for access at .* with the account of your token/ },
    repo: repoOf(smallModel(), { gated: true }),
  },
  { what: 'a token that is not known', code: 'HUB_TOKEN_REFUSED', token: 'hf_revoked', says: /Set HF_TOKEN/ },
  {
    what: 'a precision that is not there, with those that are',
    ...{ code: 'MODEL_DTYPE_MISSING', dtype: 'int8', says: /Choose one of: fp32, q4/ },
  },
  {
    what: 'a model without ONNX files, with what to do',
    ...{ code: 'MODEL_HAS_NO_ONNX', says: /Export it/ },
    repo: repoOf(smallModel().filter(([path]) => !path.endsWith('.onnx'))),
  },
  {
    what: 'a family that is not known, before its weights',
    ...{ code: 'MODEL_UNSUPPORTED', says: /"gpt2"/ },
    repo: repoOf(smallModel([['config.json', Buffer.from('{"model_type":"gpt2"}')]])),
  },
  {
    what: 'a model that the disk has no room for',
    ...{ code: 'DISK_FULL', says: /are needed and .* are free/ },
    repo: repoOf(smallModel(), { claimedSizes: new Map([['onnx/embed_tokens.onnx', 9e15]]) }),
  },
  ...['../../evil.json', '/evil.json', 'onnx/../../evil.json', 'a\\b.json', 'C:evil.json', './x.json'].map(
    (path) => ({
      what: `a Hub that lists ${path}`,
      ...{ code: 'HUB_ANSWER_INVALID', says: /a file with the name/ },
      repo: repoOf(smallModel(), { listedAs: new Map([['tokenizer.json', path]]) }),
    }),
  ),
];

describe('pullModel refuses', () => {
  for (const { what, code, says, repo, model, token, dtype } of CASES) {
    it(what, async () => {
      await using cache = await hubCache();
      cache.hub.repos.set(NAME, repo ?? repoOf(smallModel()));
      await assert.rejects(
        cache.pull(model ?? NAME, dtype === undefined ? {} : { dtype }, { token }),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, code, error.message);
          assert.match(error.message, says);
          assert(!error.message.includes('\n'));
          return true;
        },
      );
      assert(
        cache.hub.served.every(({ origin }) => origin === 'hub'),
        'no weights were fetched',
      );
    });
  }

  it('to ask anybody when it is offline', async () => {
    await using cache = await hubCache();
    await assert.rejects(cache.pull(NAME, {}, { offline: true }), { code: 'HUB_OFFLINE' });
    assert.equal(cache.hub.served.length, 0);
  });

  it('what no Hub answers, such as the page of a portal', async () => {
    await using cache = await hubCache();
    cache.hub.faults.push({ matches: () => true, fault: { kind: 'no-json' } });
    await assert.rejects(cache.pull(), { code: 'HUB_ANSWER_INVALID' });
  });

  it('a status that means nothing, with what was said', async () => {
    await using cache = await hubCache();
    cache.hub.faults.push({ matches: () => true, fault: { kind: 'status', status: 418 } });
    await assert.rejects(cache.pull(), { code: 'HUB_FAILED', message: /418 \(as the test wants it\)/ });
  });

  it('a cache that cannot be written', {
    skip: process.getuid?.() === 0 && 'root may write anywhere',
  }, async () => {
    await using cache = await hubCache();
    mkdirSync(cache.settings.cacheFolder);
    chmodSync(cache.settings.cacheFolder, 0o500);
    await assert.rejects(cache.pull(), { code: 'CACHE_NOT_WRITABLE' });
  });

  it('to write below a file', async () => {
    await using cache = await hubCache();
    cache.hub.repos.set(NAME, repoOf(smallModel()));
    const file = join(cache.folder, 'file');
    writeFileSync(file, '');
    const pulling = cache.pull(NAME, {}, { cacheFolder: join(file, 'hub') });
    await assert.rejects(pulling, { code: 'CACHE_NOT_WRITABLE', message: /a part of its path is no folder/ });
  });
});

describe('a disk that fills up meanwhile', { skip: process.platform === 'win32' && 'no ulimit' }, () => {
  it('is said in one line, and what came stays', async () => {
    await using cache = await hubCache();
    const decoder = 'onnx/decoder_model_merged_q4.onnx';
    const files = smallModel().map(
      ([path, bytes]) => [path, path === decoder ? noise(200_000, 'large') : bytes] as const,
    );
    cache.hub.repos.set(NAME, repoOf(files));
    // Files of at most 64 blocks of 1 or 0.5 KiB: a write beyond fails as on a disk without room.
    const command = ['ulimit -f 64; exec "$0" "$@"', process.execPath, BIN, 'pull', NAME, '--dtype', 'q4'];
    const env = { ...process.env, HF_ENDPOINT: cache.hub.endpoint, HF_HUB_CACHE: cache.settings.cacheFolder };
    const child = spawn('sh', ['-c', ...command], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    assert.equal(code, 1);
    assert.match(said, /^troupe: The cache .* cannot take the model: .*\[DISK_FULL\]\n$/);
    const { path } = await cache.pull(NAME, { dtype: 'q4' });
    assert.equal(readFileSync(join(path, decoder)).length, 200_000);
    assert.equal(cache.hub.requestsFor('tokenizer.json'), 1);
  });
});

describe('a proxy', () => {
  it('is asked in place of the Hub', async (test) => {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end();
    });
    proxy.on('connect', (request, socket) => {
      asked.push(`CONNECT ${request.url}`);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    test.after(() => proxy.close());
    const { port } = proxy.address() as AddressInfo; // it listens on TCP
    const before = { ...process.env };
    process.env.http_proxy = `http://127.0.0.1:${port}`;
    process.env.no_proxy = '';
    try {
      await using cache = await hubCache();
      const pulling = cache.pull(NAME, {}, { endpoint: 'http://hub.test' });
      await assert.rejects(pulling, { code: 'MODEL_NOT_ON_HUB' });
    } finally {
      process.env = before;
    }
    assert.match(asked[0] ?? '', /hub\.test/);
  });
});
