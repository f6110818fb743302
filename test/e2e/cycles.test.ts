import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runProgram } from '../support/run-program.ts';
import type { CyclesReport } from './programs/cycles.ts';

const PROGRAM = new URL('./programs/cycles.ts', import.meta.url);

for (const mode of ['aggregated', 'disaggregated']) {
  describe(`engines that are started, asked and stopped one after the other (${mode})`, () => {
    it('leave nothing behind, and never have more memory than one', async () => {
      const { stdout, stderr, code } = await runProgram(PROGRAM, [mode], ['--expose-gc']);
      assert.equal(code, 0, stderr);
      const report: CyclesReport = JSON.parse(stdout);
      assert.ok(report.firstMemories > 0);
      assert.deepEqual(report, {
        engines: 4,
        enginesAlive: 0,
        firstMemories: report.firstMemories,
        mostMemories: report.firstMemories,
        memoriesAlive: 0,
        listeners: { exit: 0, signal: 0 },
      } satisfies CyclesReport);
    });
  });
}
