import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { plainDefaultGolden } from '../support/default-golden.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TIMEOUT_MS = 300_000;
const described = plainDefaultGolden();
const run = promisify(execFile);

describe('the published package, installed into an empty folder', { timeout: TIMEOUT_MS }, () => {
  let folder: string;

  /** Runs a command there, with the Node that runs this test and none of npm's settings of this project. */
  const runThere = async (command: string, ...args: string[]): Promise<string> => {
    const inherited = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'));
    const env = {
      ...Object.fromEntries(inherited),
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      ONNXRUNTIME_NODE_INSTALL: 'skip', // its install script downloads libraries that are not needed
    };
    const { stdout } = await run(command, args, { cwd: folder, env, timeout: TIMEOUT_MS });
    return stdout;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-package-'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: ROOT,
      timeout: TIMEOUT_MS,
      maxBuffer: 16 * 1024 * 1024,
    });
    // A build's own output may come before the JSON.
    const [packed] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
    await writeFile(
      join(folder, 'package.json'),
      '{ "name": "consumer", "private": true, "type": "module" }',
    );
    await runThere('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${packed.filename}`);
    await copyFile(described.picture, join(folder, 'picture.png'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('answers on the command line', async () => {
    const stdout = await runThere(
      'npx',
      'troupe',
      'ask',
      '--image',
      'picture.png',
      '--json',
      described.question,
    );
    assert.equal(JSON.parse(stdout).text.trim(), described.greedy.trim());
  });

  it('answers a program', async () => {
    const program = `
      import { Troupe } from 'troupe';
      import { ActorSystem } from 'troupe/runtime';
      const troupe = await Troupe.start({ mode: 'disaggregated' });
      const content = [
        { type: 'image', image: 'picture.png' },
        { type: 'text', text: ${JSON.stringify(described.question)} },
      ];
      const { text } = await troupe.chat({ messages: [{ role: 'user', content }] });
      await troupe.stop();
      console.log(JSON.stringify({ text, system: typeof ActorSystem }));
    `;
    await writeFile(join(folder, 'program.js'), program);
    const { text, system } = JSON.parse(await runThere('node', 'program.js'));
    assert.equal(text.trim(), described.greedy.trim());
    assert.equal(system, 'function');
  });

  it('serves over HTTP, with its page', async () => {
    const program = `
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
    await writeFile(join(folder, 'server.js'), program);
    const said = JSON.parse(await runThere('node', 'server.js'));
    assert.deepEqual(said, { page: true, script: 200, object: 'chat.completion' });
  });

  it('type-checks a program that has no DOM library and no types of Node of its own', async () => {
    const program = `
      import { type ChatResult, Troupe } from 'troupe';
      import { ActorSystem, ask, protocol } from 'troupe/runtime';
      import { serve, type TroupeServer } from 'troupe/server';
      const server: TroupeServer = await serve({ port: 0, limits: { maxImages: 2 }, log: { level: 'warn' } });
      const troupe: Troupe = await Troupe.start({ mode: 'aggregated', onProgress: ({ phase }) => phase });
      const result: ChatResult = await troupe.chat({ messages: [{ role: 'user', content: 'Hello?' }] });
      const tokens: number = result.usage.imageTokens;
      // @ts-expect-error there is no such mode
      await Troupe.start({ mode: 'both' });
      export const used = [server.url, tokens, new ActorSystem(), protocol('p', { m: ask<string, number>() })];
    `;
    await writeFile(join(folder, 'program.ts'), program);
    const config = {
      compilerOptions: {
        module: 'nodenext',
        target: 'es2023',
        lib: ['es2023'],
        types: [],
        strict: true,
        noEmit: true,
        skipLibCheck: false,
      },
      files: ['program.ts'],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    await runThere(join(ROOT, 'node_modules', '.bin', 'tsc'));
  });
});
