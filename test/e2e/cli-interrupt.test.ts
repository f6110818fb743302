import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { ENDLESS, ended, startCli } from '../src/cli/support/run-cli.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

describe('troupe ask, interrupted', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`while it answers, ends with exit code ${code} on ${signal}, without a word`, async () => {
      const child = startCli(['ask', '--model', PILOT_MODEL, ...ENDLESS, 'What do you see?']);
      const stderr = text(child.stderr);
      const end = ended(child);
      child.stdout.once('data', () => child.kill(signal)).resume();
      assert.deepEqual(await end, { code, signal: null });
      assert.equal(await stderr, '');
    });
  }

  it('while it fetches an image, ends with exit code 130', async () => {
    const server = createServer(); // never answers
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert(typeof address === 'object' && address !== null);
    const child = startCli([
      'ask',
      '--model',
      PILOT_MODEL,
      '-i',
      `http://127.0.0.1:${address.port}/`,
      'What do you see?',
    ]);
    const stderr = text(child.stderr);
    const end = ended(child);
    child.stdout.resume();
    await once(server, 'request');
    child.kill('SIGINT');
    assert.deepEqual(await end, { code: 130, signal: null });
    assert.equal(await stderr, '');
    server.closeAllConnections();
    server.close();
  });
});
