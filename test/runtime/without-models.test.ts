import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import process from 'node:process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

/** Prints what a process has loaded that lies in node_modules, after it ran an actor system. */
const PROGRAM = `
import { registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({
  load(url, context, next) {
    const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
    if (name !== undefined) loaded.add(name);
    return next(url, context);
  },
});
const { ActorSystem } = await import(process.argv[1]);
await new ActorSystem().stop();
console.log([...loaded].join(' '));
`;

describe('the runtime on its own', () => {
  it('loads none of the packages that models need', async () => {
    const entry = new URL('../../runtime/index.ts', import.meta.url).href;
    const args = ['--input-type=module', '--eval', PROGRAM, entry];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.deepEqual(stdout.trim().split(' '), ['eventemitter3']);
  });
});
