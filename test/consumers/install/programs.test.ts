/** Programs of other people with the installed package. */
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { plainDefaultGolden } from '../../support/default-golden.ts';
import { Consumer, TIMEOUT_MS } from '../support/packed-package.ts';

const TSC = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url));
const described = plainDefaultGolden();

const PROGRAM = `
import { type ChatResult, Troupe } from 'troupe';
import { ActorSystem, ask, protocol } from 'troupe/runtime';
import { serve, type TroupeServer } from 'troupe/server';

const troupe: Troupe = await Troupe.start({ mode: 'aggregated', onProgress: ({ phase }) => phase });
const { text, usage }: ChatResult = await troupe.chat({
  messages: [
    {
      role: 'user',
      content: [
        { type: 'image', image: 'picture.png' },
        { type: 'text', text: ${JSON.stringify(described.question)} },
      ],
    },
  ],
});
await troupe.stop();
const tokens: number = usage.imageTokens;
console.log(JSON.stringify({ text, tokens, system: typeof ActorSystem }));

// @ts-expect-error there is no such mode
export const wrong = () => Troupe.start({ mode: 'both' });
export const server = (): Promise<TroupeServer> =>
  serve({ port: 0, limits: { maxImages: 2 }, log: { level: 'warn' } });
export const echo = protocol('echo', { say: ask<string, number>() });
`;

const SERVER = `
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

const CONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable', 'dom'],
    types: [],
    strict: true,
    skipLibCheck: true,
  },
  files: ['program.ts'],
};

describe('the installed package', { timeout: TIMEOUT_MS }, () => {
  let consumer: Consumer;

  before(async () => {
    ({ consumer } = await Consumer.withTroupe({ type: 'module' }));
    await copyFile(described.picture, join(consumer.folder, 'picture.png'));
    await consumer.write({ 'program.ts': PROGRAM, 'tsconfig.json': JSON.stringify(CONFIG) });
  });
  after(() => consumer[Symbol.asyncDispose]());

  it('type-checks a TypeScript program, which is compiled and gets an answer', async () => {
    await consumer.run(TSC, []);
    const { stdout } = await consumer.run('node', ['program.js']);
    const { text, tokens, system } = JSON.parse(stdout);
    assert.equal(text.trim(), described.greedy.trim());
    assert(tokens > 0);
    assert.equal(system, 'function');
  });

  it('serves over HTTP, with its page', async () => {
    await consumer.write({ 'server.js': SERVER });
    const { stdout } = await consumer.run('node', ['server.js']);
    assert.deepEqual(JSON.parse(stdout), { page: true, script: 200, object: 'chat.completion' });
  });
});
