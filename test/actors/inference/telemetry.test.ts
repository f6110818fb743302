import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HOST = fileURLToPath(new URL('support/telemetry-host.ts', import.meta.url));
const run = promisify(execFile);

interface Said {
  /** `off`, or what became of it. */
  readonly said: string;
  /** Of the variable, as native code reads it. */
  readonly value?: string;
}

/** A process of its own: this one has the variable set already. */
async function host(where: string, env: Readonly<Record<string, string>> = {}): Promise<Said> {
  const { stdout } = await run(process.execPath, [HOST, where], {
    env: { PATH: process.env.PATH ?? '', ...env },
    timeout: 60_000,
  });
  return JSON.parse(stdout);
}

describe("onnxruntime's telemetry", () => {
  it('is off in the environment of the process once an engine was to start', async () => {
    assert.deepEqual(await host('main'), { said: 'off', value: '1' });
  });

  it('is off once the module that everything takes onnxruntime from is imported', async () => {
    assert.deepEqual(await host('import'), { said: 'off', value: '1' });
  });

  it('is off where a program has put another object in the place of process.env', async () => {
    assert.deepEqual(await host('replaced'), { said: 'off', value: '1' });
  });

  it('fails on a worker where the main thread has done so, rather than be left on', async () => {
    assert.deepEqual(await host('replaced-worker'), { said: 'TELEMETRY_NOT_OFF' });
  });

  for (const where of ['worker', 'nested']) {
    it(`is off for the process, too, when it is turned off on a ${where === 'nested' ? "worker's " : ''}worker thread`, async () => {
      assert.deepEqual(await host(where), { said: 'off', value: '1' });
    });
  }

  it('stays as the user has set it', async () => {
    for (const where of ['main', 'worker']) {
      assert.deepEqual(await host(where, { ORT_DISABLE_TELEMETRY: '0' }), { said: 'off', value: '0' });
    }
  });

  it('counts as not set when the variable is empty', async () => {
    assert.deepEqual(await host('worker', { ORT_DISABLE_TELEMETRY: '' }), { said: 'off', value: '1' });
  });

  it('fails on a worker whose main thread does not answer, rather than be left on', async () => {
    assert.equal((await host('blocked')).said, 'failed');
  });

  it('needs no answer of the main thread where the variable is set for the process', async () => {
    assert.deepEqual(await host('blocked', { ORT_DISABLE_TELEMETRY: '1' }), { said: 'off', value: '1' });
  });
});
