import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { deadlineIn } from '../../../runtime/channel/deadlines.ts';

class Call {
  isSettled = false;
  readonly #line;

  constructor(ms: number) {
    this.#line = deadlineIn(ms);
    this.#line.add(this);
  }

  settle(): void {
    this.isSettled = true;
    this.#line.noteSettled();
  }

  expire(): void {
    this.settle();
  }
}

describe('a deadline', () => {
  let now = 0;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    mock.method(performance, 'now', () => now);
  });
  afterEach(() => {
    pass(1_000_000); // so that no line is left with a timer of the mock
    mock.timers.reset();
    mock.restoreAll();
  });

  function pass(ms: number): void {
    now += ms;
    mock.timers.tick(ms);
  }

  it('ends each call in its own time, however many have the same', () => {
    const first = new Call(100);
    pass(40);
    const second = new Call(100);
    pass(59);
    assert.deepEqual([first.isSettled, second.isSettled], [false, false]);
    pass(1);
    assert.deepEqual([first.isSettled, second.isSettled], [true, false]);
    pass(39);
    assert.equal(second.isSettled, false);
    pass(1);
    assert.equal(second.isSettled, true);
  });

  it('counts anew for a call that finds the timer of an earlier one', () => {
    const first = new Call(100);
    pass(50);
    first.settle();
    const second = new Call(100);
    pass(99);
    assert.equal(second.isSettled, false);
    pass(1);
    assert.equal(second.isSettled, true);
  });

  it('holds for those that remain when most have settled', () => {
    const calls = Array.from({ length: 300 }, () => new Call(100));
    for (const [index, call] of calls.entries()) if (index % 10 > 0) call.settle();
    pass(100);
    assert(calls.every(({ isSettled }) => isSettled));
  });

  it('is kept by few lines, whatever milliseconds are asked for', () => {
    for (let ms = 1_000; ms < 1_050; ms++) new Call(ms).settle();
    const last = new Call(1_049);
    pass(1_049);
    assert.equal(last.isSettled, true);
    const again = new Call(1_000);
    pass(1_000);
    assert.equal(again.isSettled, true);
  });
});

describe('the timer of a deadline', () => {
  it('keeps the process only while something waits for it', () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const call = new Call(60_000);
    assert.equal(timers(), before + 1);
    call.settle();
    assert.equal(timers(), before);
    const next = new Call(60_000);
    assert.equal(timers(), before + 1);
    next.settle();
    assert.equal(timers(), before);
  });
});
