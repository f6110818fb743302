import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Wakefulness } from '../../../runtime/transport/wakefulness.ts';

/** Longer than a thread stays awake. */
const LONG_MS = 0.06;
const FORGIVEN = 8;
const FIRST_PAUSE = 64;

describe('a thread that has sent a message', () => {
  let nowMs: number;
  let turns: (() => void)[];
  let wakefulness: Wakefulness;

  const clock = { now: () => nowMs, nextTurn: (callback: () => void) => turns.push(callback) };

  beforeEach(() => {
    nowMs = 1;
    turns = [];
    wakefulness = new Wakefulness(clock, 2);
  });

  const isAwake = (): boolean => turns.length > 0;

  /** The event loop turns once, so long after the last time. */
  function turn(ms: number): void {
    nowMs += ms;
    for (const callback of turns.splice(0)) callback();
  }

  /** A message leaves; whether the thread stays awake for it. Nothing comes, or something after so many turns. */
  function exchange(comes: boolean, afterTurns = 2): boolean {
    wakefulness.left();
    const stays = isAwake();
    if (comes) {
      for (let count = 0; count < afterTurns; count++) turn(0.001);
      wakefulness.came();
    }
    turn(LONG_MS);
    assert.equal(isAwake(), false);
    return stays;
  }

  /** How many messages leave until the thread stays awake for one. */
  function pause(comes: boolean): number {
    for (let messages = 0; ; messages++) if (exchange(comes)) return messages;
  }

  const inVain = (times: number) => {
    for (let time = 0; time < times; time++) exchange(false);
  };

  it('stays awake for a moment, turn after turn of its loop, then sleeps', () => {
    wakefulness.left();
    turn(0.02);
    assert.equal(isAwake(), true);
    turn(0.02);
    assert.equal(isAwake(), true);
    turn(0.02);
    assert.equal(isAwake(), false);
  });

  it('stays awake anew from each message on', () => {
    wakefulness.left();
    turn(0.04);
    wakefulness.left();
    turn(0.04);
    assert.equal(isAwake(), true);
    assert.equal(turns.length, 1);
  });

  it('stays awake for what follows what came', () => {
    wakefulness.left();
    wakefulness.came();
    turn(0.02);
    assert.equal(isAwake(), true);
  });

  it('sleeps after some turns where somebody holds the clock', () => {
    wakefulness.left();
    for (let count = 0; count < 1_000; count++) turn(0);
    assert.equal(isAwake(), false);
  });

  it('sleeps at once where nothing came a few times in a row', () => {
    inVain(FORGIVEN - 1);
    assert.equal(exchange(false), true);
    assert.equal(exchange(false), false);
  });

  it('stays awake as before where now and then nothing comes', () => {
    for (let time = 0; time < 10; time++) {
      inVain(FORGIVEN - 1);
      assert.equal(exchange(true), true);
    }
  });

  it('tries again once, twice as rarely each time that it was in vain, in a few thousand messages at least', () => {
    inVain(FORGIVEN);
    const pauses = Array.from({ length: 9 }, () => pause(false));
    assert.deepEqual(pauses, [64, 128, 256, 512, 1_024, 2_048, 4_096, 4_096, 4_096]);
  });

  it('stays awake again after a try for which something came', () => {
    inVain(FORGIVEN);
    assert.equal(pause(true), FIRST_PAUSE);
    assert.equal(exchange(true), true);
    inVain(FORGIVEN);
    assert.equal(pause(false), FIRST_PAUSE);
  });

  it('counts a wait as vain for what left last, though something had come before it', () => {
    for (let time = 0; time < FORGIVEN; time++) {
      wakefulness.left();
      wakefulness.came();
      exchange(false);
    }
    assert.equal(exchange(false), false);
  });

  it('takes what had come before it looked neither for worth it nor for vain', () => {
    for (let time = 0; time < FORGIVEN - 1; time++) {
      exchange(false);
      exchange(true, 1);
    }
    assert.equal(exchange(true, 1), true);
    exchange(false);
    assert.equal(exchange(false), false);
  });

  it('sleeps at once on a machine with one processor', () => {
    wakefulness = new Wakefulness(clock, 1);
    wakefulness.left();
    assert.equal(isAwake(), false);
  });
});
