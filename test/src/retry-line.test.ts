import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { RetryLine, type Turn } from '../../src/retry-line.ts';

const never = new AbortController().signal;
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the line of requests that are tried again', () => {
  let line: RetryLine;
  let inside: { readonly id: number; readonly turn: Turn }[];

  beforeEach(() => {
    line = new RetryLine();
    inside = [];
  });

  async function join(id: number, mustBeAlone = false): Promise<void> {
    const turn = await line.turn(never, mustBeAlone);
    inside.push({ id, turn });
  }

  /** All that are inside leave; who they were. */
  async function round(): Promise<number[]> {
    await settled();
    const left = inside;
    inside = [];
    for (const { turn } of left) turn.leave();
    await settled();
    return left.map(({ id }) => id);
  }

  it('lets in one, and in each round without a death twice as many, in order', async () => {
    for (let id = 0; id < 60; id++) void join(id);
    const rounds: number[][] = [];
    for (let i = 0; i < 6; i++) rounds.push(await round());
    assert.deepEqual(
      rounds.map(({ length }) => length),
      [1, 2, 4, 8, 16, 16],
    );
    assert.deepEqual(
      rounds.flat(),
      Array.from({ length: 47 }, (_, id) => id),
    );
  });

  it('begins with one again after a death', async () => {
    for (let id = 0; id < 20; id++) void join(id);
    for (let i = 0; i < 3; i++) await round();
    line.noteDeath();
    assert.equal((await round()).length, 8); // those were inside already
    assert.equal((await round()).length, 1);
    assert.equal((await round()).length, 2);
  });

  it('says who was in it with others, if only for a while', async () => {
    for (let id = 0; id < 3; id++) void join(id);
    await settled();
    assert.deepEqual(
      inside.map(({ turn }) => turn.alone),
      [true],
    );
    await round();
    inside[0]?.turn.leave();
    assert.deepEqual(
      inside.map(({ turn }) => turn.alone),
      [false, false],
    );
  });

  it('lets nobody in beside who must be alone', async () => {
    void join(0);
    await round(); // there would be room for two
    for (const [id, mustBeAlone] of [true, false, true, false, false].entries()) void join(id, mustBeAlone);
    assert.deepEqual(await round(), [0]);
    assert.deepEqual(await round(), [1]);
    assert.deepEqual(await round(), [2]);
    assert.deepEqual(await round(), [3, 4]);
  });

  it('is left once, however often that is said', async () => {
    for (let id = 0; id < 9; id++) void join(id);
    await settled();
    const [first] = inside;
    inside = [];
    for (let i = 0; i < 3; i++) first?.turn.leave();
    await settled();
    assert.equal(inside.length, 2);
  });

  it('goes on when who waits in it is aborted', async () => {
    void join(0);
    await settled();
    const abort = new AbortController();
    const gone = line.turn(abort.signal, true);
    void join(1);
    abort.abort(new Error('enough'));
    await assert.rejects(gone, /enough/);
    await assert.rejects(line.turn(abort.signal, false), /enough/);
    assert.deepEqual(await round(), [0]);
    assert.deepEqual(await round(), [1]);
  });
});
