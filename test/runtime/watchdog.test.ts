import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoadBoard } from '../../runtime/board/load-board.ts';
import type { Pulse } from '../../runtime/board/pulse.ts';
import { Watchdog, type Watched } from '../../runtime/supervision/watchdog.ts';
import { type CoreTime, coreTimeOf, systemThreadId } from '../../runtime/thread/core-time.ts';

const LIMITS = { turnMs: 10_000, setUpMs: 20_000, nativeMs: 60_000 };

interface Case {
  readonly pulse: Pulse;
  readonly watchdog: Watchdog;
  readonly watched: Watched;
  readonly condemned: Error[];
  readonly exits: () => number;
  /** Looks once a second for so many seconds. */
  wait(seconds: number): void;
}

/** @param cores what the thread has had of the cores. Default: nobody knows */
function watching(cores = (): CoreTime | undefined => undefined): Case {
  const board = LoadBoard.create(1);
  const slot = board.claim();
  let exits = 0;
  const pulse = board.pulse(slot, LIMITS, () => {
    exits += 1;
  });
  const condemned: Error[] = [];
  const watched: Watched = {
    name: 'actor/0',
    pulse: board.pulseReader(slot),
    get coreTime() {
      return cores();
    },
    condemn: (error) => {
      condemned.push(error);
      return true;
    },
  };
  const watchdog = new Watchdog(LIMITS, () => {});
  watchdog.watch(watched);
  let now = 1e9;
  watchdog.look(now);
  pulse.turn();
  watchdog.look(now);
  const wait = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      now += 1_000;
      watchdog.look(now);
    }
  };
  return { pulse, watchdog, watched, condemned, exits: () => exits, wait };
}

describe('the watchdog', () => {
  it('takes a thread for hung that has not turned for longer than it may', () => {
    const { pulse, condemned, wait } = watching();
    pulse.ready();
    wait(10);
    assert.equal(condemned.length, 0);
    wait(1);
    assert.match(
      condemned[0]?.message ?? '',
      /actor\/0 hung: it did not come back from a computation for 11 s/,
    );
  });

  it('is content with any sign of life', () => {
    const { pulse, condemned, wait } = watching();
    pulse.ready();
    for (let i = 0; i < 10; i++) {
      wait(9);
      pulse.turn();
    }
    assert.equal(condemned.length, 0);
  });

  it('counts only the time in which a thread has a core, where it has to wait for one', () => {
    let looks = 0;
    // Of each second it runs 200 ms and waits for 600: it has a quarter of what it wants.
    const { pulse, condemned, wait } = watching(() => {
      looks += 1;
      return { ranMs: 200 * looks, waitedMs: 600 * looks };
    });
    pulse.ready();
    wait(37);
    assert.equal(condemned.length, 0);
    wait(1);
    assert.equal(condemned.length, 1);
  });

  it('counts all of the time in which a thread sleeps', () => {
    const { pulse, condemned, wait } = watching(() => ({ ranMs: 7, waitedMs: 7_000 }));
    pulse.ready();
    wait(11);
    assert.equal(condemned.length, 1);
  });

  it('knows what a thread has had of the cores, on Linux', { skip: process.platform !== 'linux' }, () => {
    const before = coreTimeOf(systemThreadId());
    assert(before !== undefined && before.ranMs > 0 && before.waitedMs >= 0);
    const until = process.cpuUsage().user + 20_000;
    while (process.cpuUsage().user < until) Math.sqrt(until);
    const after = coreTimeOf(systemThreadId());
    assert(after !== undefined && after.ranMs > before.ranMs);
    assert.equal(coreTimeOf(0), undefined);
    assert.equal(coreTimeOf(1 << 22), undefined);
  });

  it('gives a thread that starts more time', () => {
    const { condemned, wait } = watching();
    wait(20);
    assert.equal(condemned.length, 0);
    wait(1);
    assert.equal(condemned.length, 1);
  });

  it('gives native code of which nothing is known more time, and other native code ten times what it takes', () => {
    for (const [expectedMs, seconds] of [
      [undefined, 60],
      [3_000, 30],
      [10, 10],
    ] as const) {
      const { pulse, condemned, wait } = watching();
      pulse.ready();
      pulse.entered(expectedMs);
      wait(seconds);
      assert.equal(condemned.length, 0, `${expectedMs}`);
      wait(2);
      assert.match(condemned[0]?.message ?? '', /native code/);
    }
  });

  it('gives the usual time again after native code', () => {
    const { pulse, condemned, wait } = watching();
    pulse.ready();
    pulse.entered();
    pulse.left();
    wait(12);
    assert.equal(condemned.length, 1);
  });

  it('that is told to hurry waits no longer for native code than for a turn', () => {
    const { pulse, watchdog, condemned, wait } = watching();
    pulse.entered(60_000);
    wait(30);
    assert.equal(condemned.length, 0);
    watchdog.hurry(1_000);
    wait(1);
    assert.equal(condemned.length, 1);
  });

  it('that is told to hurry gives native code the time of a turn', () => {
    const { pulse, watchdog, condemned, wait } = watching();
    watchdog.hurry(1_000);
    pulse.entered(60_000);
    wait(10);
    assert.equal(condemned.length, 0);
    wait(2);
    assert.equal(condemned.length, 1);
  });

  it('does not count time in which the process was stopped', () => {
    const { pulse, watchdog, condemned, wait } = watching();
    pulse.ready();
    wait(9);
    watchdog.look(1e9 + 3_600_000);
    assert.equal(condemned.length, 0);
  });

  it('says how long a thread has been silent, where that is unusual', () => {
    const { pulse, watchdog, watched, wait } = watching();
    pulse.ready();
    wait(2);
    assert.equal(watchdog.silentMs(watched), 0);
    wait(2);
    assert.equal(watchdog.silentMs(watched), 4_000);
    pulse.turn();
    wait(1);
    pulse.entered();
    wait(9);
    assert.equal(watchdog.silentMs(watched), 0);
  });
});

describe('the state of a thread', () => {
  it('lets a thread be ended in JavaScript, and be left behind in native code, never the other way round', () => {
    const { pulse, watched, exits } = watching();
    assert.equal(watching().watched.pulse.giveUp(), 'ended');
    pulse.entered();
    assert.equal(watched.pulse.giveUp(), 'left');
    assert.equal(watched.pulse.giveUp(), undefined);
    pulse.left();
    assert(exits() > 0, 'a thread that was left behind ends when it comes out');
  });

  it('is native until the last of several calls has returned', () => {
    for (const [calls, fate] of [
      [1, 'left'],
      [2, 'ended'],
    ] as const) {
      const { pulse, watched } = watching();
      pulse.entered();
      pulse.entered();
      for (let call = 0; call < calls; call++) pulse.left();
      assert.equal(watched.pulse.giveUp(), fate);
    }
  });
});

describe('the name of the work', () => {
  it('is that of the request until its native code returns, though that was begun without waiting', () => {
    const { pulse, watched } = watching();
    pulse.work(7);
    pulse.entered();
    pulse.work(0);
    assert.equal(watched.pulse.work, 7);
    pulse.left();
    assert.equal(watched.pulse.work, 0);
  });

  it('is nobody of whom it is known while native code of several requests, or of nobody, overlaps', () => {
    for (const other of [8, 0]) {
      const { pulse, watched } = watching();
      pulse.work(7);
      pulse.entered();
      pulse.work(other);
      pulse.entered();
      pulse.work(0);
      assert.equal(watched.pulse.work, 0);
      pulse.left();
      assert.equal(watched.pulse.work, 0);
      pulse.left();
    }
  });

  it('stays the same while several calls for one request overlap', () => {
    const { pulse, watched } = watching();
    pulse.work(7);
    pulse.entered();
    pulse.entered();
    pulse.work(0);
    pulse.left();
    assert.equal(watched.pulse.work, 7);
    pulse.left();
    assert.equal(watched.pulse.work, 0);
  });
});
