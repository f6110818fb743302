import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Consumer, TIMEOUT_MS } from '../support/packed-package.ts';

const PROGRAM = `
  import { serve } from 'troupe/server';
  const server = await serve({ port: 0, log: { level: 'silent' } });
  const page = await (await fetch(server.url)).text();
  const script = await fetch(server.url + '/playground/main.js');
  const answer = await fetch(server.url + '/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello?' }], max_tokens: 2 }),
  });
  const { object } = await answer.json();
  await server.close();
  console.log(JSON.stringify({ page: page.includes('<title>Troupe'), script: script.status, object }));
`;

describe('the installed server', { timeout: TIMEOUT_MS }, () => {
  let consumer: Consumer;

  before(async () => {
    ({ consumer } = await Consumer.withTroupe());
  });
  after(() => consumer[Symbol.asyncDispose]());

  it('serves over HTTP, with its page', async () => {
    await consumer.write({ 'server.mjs': PROGRAM });
    const { stdout } = await consumer.run('node', ['server.mjs']);
    assert.deepEqual(JSON.parse(stdout), { page: true, script: 200, object: 'chat.completion' });
  });
});
