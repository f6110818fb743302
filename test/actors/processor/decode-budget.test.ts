import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DecodeBudget } from '../../../actors/processor/decode-budget.ts';
import { SharedArena } from '../../../runtime/tensors/arena.ts';

const MIB = 1024 * 1024;
const { signal } = new AbortController();

describe('turns at decoding', () => {
  let any: SharedArena;
  let small: SharedArena;
  let here: DecodeBudget;
  let there: DecodeBudget;

  beforeEach(() => {
    any = SharedArena.create({ name: 'any', bytes: 90 * MIB, countsOnly: true });
    small = SharedArena.create({ name: 'small', bytes: 8 * MIB, countsOnly: true });
    here = new DecodeBudget({ any, small }, 1);
    const handles = { any: SharedArena.attach(any.handle()), small: SharedArena.attach(small.handle()) };
    there = new DecodeBudget(handles, 2);
  });

  /** Work that goes on until it is told to end. */
  function started(budget: DecodeBudget, bytes: number, until = signal) {
    const end = Promise.withResolvers<void>();
    const state = { running: false };
    const done = budget.run(bytes, until, async () => {
      state.running = true;
      await end.promise;
    });
    return { state, done, end: () => end.resolve() };
  }

  async function turns(): Promise<void> {
    for (let i = 0; i < 20; i++) await turn();
  }

  it('are given while memory is left, whichever thread asks', async () => {
    const first = started(here, 60 * MIB);
    const second = started(there, 60 * MIB);
    await turns();
    assert.deepEqual([first.state.running, second.state.running], [true, false]);
    first.end();
    await first.done;
    await turns();
    assert.equal(second.state.running, true);
    second.end();
    await second.done;
    assert.equal(any.stats().usedBytes, 0);
  });

  it('are given to three large images at most', async () => {
    const all = Array.from({ length: 5 }, () => started(here, 3 * MIB));
    await turns();
    assert.equal(all.filter(({ state }) => state.running).length, 3);
    for (const { end } of all) end();
    await Promise.all(all.map(({ done }) => done));
  });

  it('are given to small images beside large ones that wait', async () => {
    const large = [started(here, 90 * MIB), started(here, 90 * MIB)];
    const tiny = started(here, MIB);
    await turns();
    assert.deepEqual(
      [large[0]?.state.running, large[1]?.state.running, tiny.state.running],
      [true, false, true],
    );
    for (const { end } of [...large, tiny]) end();
    await Promise.all([...large, tiny].map(({ done }) => done));
  });

  it('are given up when the request ends', async () => {
    const first = started(here, 90 * MIB);
    const abort = new AbortController();
    const second = started(here, 90 * MIB, abort.signal);
    await turns();
    abort.abort();
    await assert.rejects(second.done, { code: 'ABORTED' });
    first.end();
    await first.done;
    assert.equal(second.state.running, false);
    assert.equal(any.stats().tensors, 0);
  });

  it('end with work that fails', async () => {
    const failing = here.run(90 * MIB, signal, () => Promise.reject(new Error('broken')));
    await assert.rejects(failing, /broken/);
    assert.equal(any.stats().tensors, 0);
  });

  it('are refused at once to what never fits', () => {
    const size = { width: 6320, height: 6320 };
    here.check(90 * MIB, 'image', size);
    assert.throws(() => here.check(91 * MIB, 'image', size), {
      code: 'IMAGE_TOO_LARGE_PIXELS',
      message: /decoding it takes 96 MB, of 95 MB \("6320×6320"\)\. .*limits\.memoryBytes/,
    });
  });
});
