import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EncodeTurns } from '../../../actors/encoder/encode-turns.ts';

/** Lets all that can go on do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

class Entry {
  leave: (() => void) | undefined;
  error: unknown;

  constructor(turns: EncodeTurns, bytes: number, signal = new AbortController().signal) {
    turns.enter(bytes, signal).then(
      (leave) => {
        this.leave = leave;
      },
      (error: unknown) => {
        this.error = error;
      },
    );
  }

  get isIn(): boolean {
    return this.leave !== undefined;
  }
}

describe('turns at an arena', () => {
  it('let in what fits together', async () => {
    const turns = new EncodeTurns(10);
    const entries = [6, 4, 1].map((bytes) => new Entry(turns, bytes));
    await settled();
    assert.deepEqual(
      entries.map(({ isIn }) => isIn),
      [true, true, false],
    );
  });

  it('go in order: a small one does not overtake a large one', async () => {
    const turns = new EncodeTurns(10);
    const [first, large, small] = [new Entry(turns, 6), new Entry(turns, 10), new Entry(turns, 1)];
    await settled();
    assert.deepEqual([large.isIn, small.isIn], [false, false]);
    first.leave?.();
    await settled();
    assert.deepEqual([large.isIn, small.isIn], [true, false]);
    large.leave?.();
    await settled();
    assert.ok(small.isIn);
  });

  it('pass to the next when one who waits is aborted', async () => {
    const turns = new EncodeTurns(10);
    const abort = new AbortController();
    const [, large, small] = [new Entry(turns, 6), new Entry(turns, 10, abort.signal), new Entry(turns, 4)];
    await settled();
    assert.equal(small.isIn, false);
    abort.abort(new Error('left'));
    await settled();
    assert.deepEqual([large.isIn, String(large.error), small.isIn], [false, 'Error: left', true]);
  });
});
