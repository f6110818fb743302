import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { BIN } from '../src/cli/support/run-cli.ts';
import { HELLO, MODEL } from './support/server.ts';
import { serverCommand } from './support/server-process.ts';

/** Linux: every write to it fails as on a disk without room. */
const FULL = '/dev/full';

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Runs a command whose output cannot be written. */
async function run(args: readonly string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', openSync(FULL, 'w'), 'pipe'] });
  assert(child.stderr !== null);
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code, said };
}

describe('a full disk', { skip: !existsSync(FULL) }, () => {
  it('takes no request and no end from a server whose log goes there', async () => {
    const port = await freePort();
    const full = openSync(FULL, 'w');
    const args = [BIN, ...(await serverCommand()), '--port', String(port), '--drain-ms', '1000'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', full, full], timeout: 60_000 });
    const end = once(child, 'exit');
    const url = `http://127.0.0.1:${port}`;
    const isReady = () =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isReady())) assert.equal(child.exitCode, null);
    const ask = () =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...HELLO, max_tokens: 1 }),
      });
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(Array.from({ length: 16 }, ask));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    }
    assert.equal((await fetch(`${url}/live`)).status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await end, [0, null]);
  });

  for (const args of [
    ['--help'],
    ['--version'],
    ['inspect'],
    ['inspect', '--json'],
    ['serve', '--print-config'],
  ]) {
    it(`makes \`troupe ${args.join(' ')}\` fail`, async () => {
      const { code, said } = await run(args);
      assert.equal(code, 1);
      assert.match(said, /^troupe: standard output cannot be written \(ENOSPC\) \[OUTPUT_FAILED\]\n$/);
    });
  }

  for (const flags of [[], ['--json']]) {
    it(`makes \`troupe ask ${flags.join(' ')}\` fail`, async () => {
      const { code, said } = await run(['ask', '--model', MODEL, ...flags, 'What do you see?']);
      assert.equal(code, 1);
      assert.match(said, /\[OUTPUT_FAILED\]/);
    });
  }

  it('changes nothing about the exit code when even the error cannot be written', async () => {
    const full = openSync(FULL, 'w');
    const child = spawn(process.execPath, [BIN, '--help'], { stdio: ['ignore', full, full] });
    assert.deepEqual(await once(child, 'exit'), [1, null]);
  });
});
