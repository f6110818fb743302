/** The runtime as a package of its own, in a project of somebody else. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Consumer, packRuntime, TIMEOUT_MS } from '../support/packed-package.ts';

const ACTOR = `
import { ask, blueprint, defineActor, protocol } from 'troupe-runtime';

export const summing = protocol('sum', { add: ask() });
export const sum = blueprint(summing, import.meta.url, './sum');

export default defineActor({
  blueprint: sum,
  setup({ start }) {
    let total = start;
    return { handlers: { add: (n) => (total += n) } };
  },
});
`;

const PROGRAM = `
import { ActorSystem } from 'troupe-runtime';
import { sum } from './sum.js';

await using system = new ActorSystem();
const ref = await system.spawn(sum, { start: 40 }, { name: 'sum' });
console.log(await ref.ask('add', 2));
`;

describe('the runtime as a package of its own', { timeout: TIMEOUT_MS }, () => {
  let consumer: Consumer;

  before(async () => {
    consumer = await Consumer.create({ type: 'module' });
    await consumer.npm(['install', await packRuntime(consumer.folder)]);
  });
  after(() => consumer[Symbol.asyncDispose]());

  it('brings nothing that models need', () => {
    const installed = readdirSync(join(consumer.folder, 'node_modules')).filter(
      (name) => !name.startsWith('.'),
    );
    assert.deepEqual(installed.sort(), ['@types', 'eventemitter3', 'troupe-runtime', 'undici-types']);
  });

  it('runs actors on threads', async () => {
    await consumer.write({ 'sum.js': ACTOR, 'program.js': PROGRAM });
    const { stdout } = await consumer.run(process.execPath, ['program.js']);
    assert.equal(stdout.trim(), '42');
  });

  it('says its own name, and leads nowhere that is not in it', () => {
    const readme = readFileSync(join(consumer.folder, 'node_modules/troupe-runtime/README.md'), 'utf8');
    assert.match(readme, /from 'troupe-runtime'/);
    assert.doesNotMatch(readme, /troupe\/runtime'|\]\((?!https:)/);
  });
});
