import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndTurn } from '../../runtime/supervision/first-and-others.ts';
import { stopInTurn } from '../../runtime/system/stop-in-turn.ts';

const LONG_MS = 3_600_000;
/** What was promised has been heard of. */
const heard = () => new Promise((resolve) => setImmediate(resolve));

/** Pools that are asked to stop, and what becomes of them: they stop when the test says so, and end when they may. */
function pools(...names: string[]) {
  const events: string[] = [];
  const groups = names.map((name) => {
    const quiet = Promise.withResolvers<void>();
    return {
      quiet: quiet.promise,
      becomeQuiet: quiet.resolve,
      async stop(_graceMs: number, threads?: EndTurn) {
        events.push(`${name} is asked`);
        await quiet.promise;
        events.push(`${name} has stopped`);
        await (threads && Promise.race([threads.turn, threads.late]));
        events.push(`${name} ends`);
        return [];
      },
    };
  });
  return { events, groups };
}

describe('a system that stops', () => {
  it('ends no thread before all pools have stopped, and then one after the other', async () => {
    const { events, groups } = pools('young', 'old');
    const [young, old] = groups;
    const stopped = stopInTurn(groups, LONG_MS);
    young?.becomeQuiet();
    await heard();
    assert.deepEqual(events, ['young is asked', 'young has stopped', 'old is asked']);
    old?.becomeQuiet();
    assert.deepEqual(await stopped, [[], []]);
    assert.deepEqual(events.slice(3), ['old has stopped', 'young ends', 'old ends']);
  });

  it('keeps threads for a pool that does not stop no longer than for half of the grace', async () => {
    const { events, groups } = pools('young', 'hung');
    const [young, hung] = groups;
    const stopped = stopInTurn(groups, 20);
    young?.becomeQuiet();
    while (!events.includes('young ends')) await heard();
    assert(!events.includes('hung has stopped'));
    hung?.becomeQuiet();
    await stopped;
  });

  it('lets the threads of a pool that is alone end by themselves', async () => {
    const { events, groups } = pools('alone');
    const [alone] = groups;
    alone?.becomeQuiet();
    await stopInTurn(groups, LONG_MS);
    assert.deepEqual(events, ['alone is asked', 'alone has stopped', 'alone ends']);
  });
});
