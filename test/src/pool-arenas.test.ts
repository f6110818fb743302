import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolThreads } from '../../src/pool-arenas.ts';
import { runProgram } from '../support/run-program.ts';
import type { PoolArenas } from './programs/pool-arenas.ts';

const PROGRAM = new URL('./programs/pool-arenas.ts', import.meta.url);
const LIBUVS_THREADS = 4;

describe("arenas of malloc for the threads of libuv's pool", () => {
  it('are taken by all of them before an engine has any', {
    skip: process.platform !== 'linux',
  }, async () => {
    const { stdout, stderr, code } = await runProgram(PROGRAM);
    assert.equal(code, 0, stderr);
    const { before, after }: PoolArenas = JSON.parse(stdout);
    // Node may have needed one of them before.
    assert.ok(after - before >= LIBUVS_THREADS - 1, `${before} arenas before, ${after} after`);
  });

  it('are as many as libuv makes threads', () => {
    for (const [setting, threads] of [
      [undefined, LIBUVS_THREADS],
      ['8', 8],
      ['8 threads', 8],
      ['0', 1],
      ['-3', 1],
      ['many', 1],
      ['5000', 1024],
    ] as const)
      assert.equal(poolThreads(setting), threads, setting);
  });
});
