import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, it } from 'node:test';
import { STEP } from '../../runtime/thread/give-way.ts';
import { Troupe } from '../../src/index.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

/** The niceness of the lowest priority that there is. */
const LOWEST = 19;

interface Thread {
  readonly name: string;
  readonly niceness: number;
}

/** See proc_pid_stat(5): the name is in parentheses, and the niceness the 17th field after it. */
function threads(): Thread[] {
  return readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    return { name: stat.slice(stat.indexOf('(') + 1, end), niceness: Number(fields[16]) };
  });
}

describe('priorities of threads', { skip: process.platform !== 'linux' }, () => {
  for (const mode of ['aggregated', 'disaggregated'] as const) {
    it(`${mode}: actors give way, with their inference threads; nobody else does`, async () => {
      const own = getPriority();
      const lowered = Math.min(LOWEST, own + STEP);
      const encoder = mode === 'disaggregated' ? { encoder: { threads: 2 } } : {};
      await using _troupe = await Troupe.start({ model: PILOT_MODEL, mode, pd: { threads: 2 }, ...encoder });
      // A thread of onnxruntime's pool has the name of the thread that made it.
      const isActor = ({ name }: Thread) => /^(?:aggregated|processor|encoder|pd)\/\d+$/.test(name);
      const computing = threads().filter(isActor);
      const expected = mode === 'aggregated' ? 3 : 5;
      assert(computing.length >= expected, computing.map(({ name }) => name).join(', '));
      for (const { name, niceness } of computing) assert.equal(niceness, lowered, name);
      const others = threads().filter((thread) => !isActor(thread));
      assert(others.some(({ name }) => name === 'libuv-worker'));
      for (const { name, niceness } of others) assert.equal(niceness, own, name);
      assert.equal(getPriority(), own);
    });
  }
});
