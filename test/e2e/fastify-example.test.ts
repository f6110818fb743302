import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ChatResult } from '../../src/index.ts';
import { plainDefaultGolden } from '../support/default-golden.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/fastify-route.ts', import.meta.url));
const described = plainDefaultGolden();

describe('the Fastify example', { timeout: 120_000 }, () => {
  let server: ChildProcess;
  let url: string;

  before(async () => {
    const env = { ...process.env, PORT: '0' };
    server = spawn(process.execPath, [EXAMPLE], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    assert(server.stdout);
    const [line] = await once(server.stdout, 'data');
    url = String(line).trim();
  });
  after(() => server.kill('SIGKILL'));

  const ask = (body: Uint8Array<ArrayBuffer>, query: Record<string, string>) =>
    fetch(`${url}/ask?${new URLSearchParams(query)}`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body,
    });

  it('answers a question about the picture in the body', async () => {
    const { question } = described;
    const response = await ask(new Uint8Array(await readFile(described.picture)), { question });
    assert.equal(response.status, 200);
    const { text, usage } = (await response.json()) as Pick<ChatResult, 'text' | 'usage'>; // as the route sends it
    assert.equal(text.trim(), described.greedy.trim());
    assert(usage.imageTokens > 0);
  });

  it('says what is wrong with a body that is no picture, and with a question that is missing', async () => {
    const noPicture = await ask(new Uint8Array(Buffer.from('no picture')), { question: 'What is this?' });
    assert.equal(noPicture.status, 400);
    assert.match(await noPicture.text(), /"code":"IMAGE_FORMAT_UNSUPPORTED"/);
    assert.equal((await ask(new Uint8Array(1), {})).status, 400);
  });

  it('ends by itself when it is told to', async () => {
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  });
});
