/** `npm install troupe` in an empty project, by the npm majors that are in use, and programs in each module system. */
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { plainDefaultGolden } from '../../support/default-golden.ts';
import { Consumer, type Outcome, ROOT, TIMEOUT_MS } from '../support/packed-package.ts';

const described = plainDefaultGolden();
const QUESTION = JSON.stringify(described.question);

const ASK = `
  const content = [
    { type: 'image', image: 'picture.png' },
    { type: 'text', text: ${QUESTION} },
  ];
  const { text } = await troupe.chat({ messages: [{ role: 'user', content }] });
  await troupe.stop();
  console.log(text);
`;

const PROGRAMS = {
  'esm.mjs': `
    import { Troupe } from 'troupe';
    const troupe = await Troupe.start();
    ${ASK}
  `,
  'commonjs.cjs': `
    const { Troupe } = require('troupe');
    (async () => {
      const troupe = await Troupe.start({ mode: 'disaggregated' });
      ${ASK}
    })();
  `,
};

function npxOf(tools: Consumer): string {
  return join(tools.folder, 'node_modules', 'npm', 'bin', 'npx-cli.js');
}

for (const version of ['10.9.9', '11.21.2', '12.2.2']) {
  describe(`troupe, installed by npm ${version}`, { timeout: TIMEOUT_MS }, () => {
    let tools: Consumer;
    let consumer: Consumer;
    let said: Outcome;

    before(async () => {
      tools = await Consumer.create();
      await tools.npm(['install', `npm@${version}`]);
      const npm = join(tools.folder, 'node_modules', 'npm', 'bin', 'npm-cli.js');
      ({ consumer, said } = await Consumer.withTroupe({}, npm));
      await copyFile(described.picture, join(consumer.folder, 'picture.png'));
      await consumer.write(PROGRAMS);
    });
    after(async () => {
      await consumer[Symbol.asyncDispose]();
      await tools[Symbol.asyncDispose]();
    });

    it('ran no script that fetches anything from elsewhere', () => {
      assert.doesNotMatch(said.stdout + said.stderr, /onnxruntime-node@|nuget/i);
      const modules = join(consumer.folder, 'node_modules');
      assert(existsSync(join(modules, 'troupe', 'node_modules', 'onnxruntime-node', 'package.json')));
      assert.deepEqual(globSync('**/libonnxruntime_providers_*', { cwd: modules }), []);
    });

    it('answers a program that imports it', async () => {
      const { stdout, stderr } = await consumer.run('node', ['esm.mjs']);
      assert.equal(stdout.trim(), described.greedy.trim());
      assert.equal(stderr, '');
    });

    it('answers a program that requires it', async () => {
      const { stdout, stderr } = await consumer.run('node', ['commonjs.cjs']);
      assert.equal(stdout.trim(), described.greedy.trim());
      assert.equal(stderr, '');
    });

    it('answers on the command line', async () => {
      const args = ['troupe', 'ask', '--image', 'picture.png', '--json', described.question];
      const { stdout } = await consumer.run(process.execPath, [npxOf(tools), ...args]);
      assert.equal(JSON.parse(stdout).text.trim(), described.greedy.trim());
    });

    it('runs in a clone without a warning about its settings', async () => {
      const args = [npxOf(tools), 'troupe', '--version'];
      const { stdout, stderr } = await consumer.run(process.execPath, args, { cwd: ROOT });
      assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
      assert.doesNotMatch(stderr, /project config|env config/i);
    });
  });
}
