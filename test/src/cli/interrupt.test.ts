import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CliProcess, ended, startCli } from './support/run-cli.ts';

const STUBBORN = fileURLToPath(new URL('./support/stubborn.ts', import.meta.url));

async function startStubborn(): Promise<CliProcess> {
  const child = startCli([], { bin: STUBBORN });
  await once(child.stdout, 'data');
  return child;
}

describe('an interrupted command that does not end', () => {
  it('is ended by the second signal, as that signal does', async () => {
    const child = await startStubborn();
    const end = ended(child);
    child.kill('SIGINT');
    await once(child.stdout, 'data'); // it has been told
    child.kill('SIGINT');
    assert.deepEqual(await end, { code: null, signal: 'SIGINT' });
  });

  it('is ended after a while without one', async () => {
    const child = await startStubborn();
    const end = ended(child);
    child.stdout.resume();
    child.kill('SIGTERM');
    assert.deepEqual(await end, { code: null, signal: 'SIGTERM' });
  });
});
