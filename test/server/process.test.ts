import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ended, runCli } from '../src/cli/support/run-cli.ts';
import { askAboutUrl, assertRefused, ENDLESS, eventsOf, HELLO } from './support/server.ts';
import { startProcess } from './support/server-process.ts';

const chat = (url: string, body: object, signal: AbortSignal | null = null) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });

describe('troupe serve', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`under load, on ${signal}, lets running streams end, refuses new ones, and exits with 0`, async () => {
      const { child, url, logged } = await startProcess(['--drain-ms', '25000']);
      const end = ended(child);
      const streams = [1, 2, 3].map(async () => {
        const response = await chat(url, { ...ENDLESS, stream: true, max_tokens: 300 });
        assert.equal(response.status, 200);
        return response;
      });
      const running = await Promise.all(streams);
      child.kill(signal);
      await logged('draining');
      await assertRefused(await chat(url, HELLO), 503, 'server_draining');
      for (const response of running) {
        const text = await response.text();
        assert(text.endsWith('data: [DONE]\n\n'));
        const last = eventsOf(text).at(-1) as { choices: { finish_reason: string }[] };
        assert.equal(last.choices[0]?.finish_reason, 'length');
      }
      assert.deepEqual(await end, { code: 0, signal: null });
    });
  }

  it('exits with 0 within its bound, when streams go on for longer', async () => {
    const { child, url, logged } = await startProcess(['--drain-ms', '50']);
    const end = ended(child);
    const response = await chat(url, { ...ENDLESS, stream: true });
    child.kill('SIGTERM');
    await logged('failing what is left');
    const last = eventsOf(await response.text()).at(-1) as { error?: { code: string } };
    assert.equal(last.error?.code, 'server_draining');
    assert.deepEqual(await end, { code: 0, signal: null });
  });

  it('logs requests without their contents, unless told to', async () => {
    for (const contents of [false, true]) {
      const { child, url, logged, log } = await startProcess(contents ? ['--log-contents'] : []);
      const end = ended(child);
      const content = 'A question about marmalade?';
      const body = { messages: [{ role: 'user', content }], max_tokens: 3, user: 'user-7' };
      const answer = JSON.parse(await (await chat(url, body)).text());
      const record = await logged('chat');
      assert.equal(record.status, 200);
      assert.equal(record.user, 'user-7');
      assert.equal(record.completionTokens, answer.usage.completion_tokens);
      assert.equal(JSON.stringify(log).includes('marmalade'), contents);
      child.kill('SIGTERM');
      await end;
    }
  });

  it('refuses a name that has a private address when it is looked up again', async (t) => {
    let hits = 0;
    const inner = createServer(() => {
      hits += 1;
    }).listen(0, '127.0.0.1');
    t.after(() => inner.close());
    const dns = new URL('./support/rebinding-dns.ts', import.meta.url).href;
    const { child, url } = await startProcess(['--image-urls', 'http'], ['--import', dns]);
    const end = ended(child);
    const address = inner.address();
    assert(typeof address === 'object' && address !== null);
    const rebinding = askAboutUrl(`http://rebinding.test:${address.port}/`);
    // The first answer is public: refused by nobody, and answered by nobody.
    await assertRefused(await chat(url, rebinding), 400, 'image_fetch_failed');
    await assertRefused(await chat(url, rebinding), 400, 'image_url_refused');
    await assertRefused(await chat(url, askAboutUrl('http://inner.test/')), 400, 'image_url_refused');
    assert.equal(hits, 0);
    assert.equal((await chat(url, HELLO)).status, 200);
    child.kill('SIGTERM');
    await end;
  });

  it('says in one line that its port is taken', async () => {
    const { child, url } = await startProcess([]);
    const end = ended(child);
    const { code, stderr } = await runCli(['serve', '--port', new URL(url).port]);
    assert.equal(code, 2);
    assert.match(stderr, /^troupe: port: cannot be listened on, EADDRINUSE .*\[PORT_UNAVAILABLE\]\n$/);
    child.kill('SIGTERM');
    await end;
  });
});

it('prints its configuration without secrets, and reads what it has printed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-config-'));
  t.after(() => rm(folder, { recursive: true }));
  const args = ['serve', '--print-config', '--mode', 'disaggregated', '--api-key', 'key-of-this-test'];
  const { code, stdout } = await runCli(args);
  assert.equal(code, 0);
  const { apiKeys, ...config } = JSON.parse(stdout);
  assert.deepEqual(apiKeys, ['[redacted]']);
  assert(!stdout.includes('key-of-this-test'));
  const printed = join(folder, 'printed.json');
  await writeFile(printed, JSON.stringify(config));
  const again = await runCli(['serve', '--print-config', '--config', printed]);
  assert.deepEqual(JSON.parse(again.stdout), { ...config, apiKeys: [] });
});
