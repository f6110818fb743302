import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runProgram } from '../support/run-program.ts';

const PROGRAM = new URL('./programs/end-under-load.ts', import.meta.url);

describe('a process that ends while its engine is at work', () => {
  for (const [how, mode, code] of [
    ['exit', 'aggregated', 3],
    ['exit', 'disaggregated', 3],
    ['error', 'aggregated', 1],
    ['exit of a worker', 'disaggregated', 0],
  ] as const) {
    it(`ends as it was told, not by an abort (${how}, ${mode})`, async () => {
      const { code: ended, signal, stderr } = await runProgram(PROGRAM, [how, mode]);
      assert.deepEqual({ code: ended, signal }, { code, signal: null }, stderr);
      assert.doesNotMatch(stderr, /Napi::Error/);
    });
  }
});
