import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Wakefulness } from '../../../runtime/transport/wakefulness.ts';

/** Exchanges whose answers take so many ms, for a thread that is awake and for one that sleeps. */
function conversation(processors = 2) {
  let now = 1;
  let preemptions = 0;
  const wakefulness = new Wakefulness({ now: () => now, processors, preemptions: () => preemptions });
  /** How many of so many exchanges began awake. */
  const exchange = (count: number, awakeMs: number, asleepMs: number): number => {
    let awake = 0;
    for (let i = 0; i < count; i++) {
      wakefulness.left();
      if (wakefulness.isAwake) awake += 1;
      now += wakefulness.isAwake ? awakeMs : asleepMs;
      wakefulness.came(false);
      now += 0.01;
    }
    return awake;
  };
  const preempt = () => {
    preemptions += 1;
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { exchange, preempt, pass, wakefulness };
}

describe('a thread that waits for what comes back on a port', () => {
  it('sleeps where answers take long: there is nothing to gain', () => {
    const { exchange } = conversation();
    assert.equal(exchange(20_000, 0.01, 0.5), 0);
  });

  it('stays awake once it has tried that and answers came clearly sooner', () => {
    const { exchange } = conversation();
    exchange(200, 0.01, 0.05);
    assert.equal(exchange(1_000, 0.01, 0.05), 1_000);
  });

  it('sleeps where to stay awake brings little, and tries it more and more rarely', () => {
    const { exchange } = conversation();
    const tries = [256, 1_024, 4_096, 16_384].map((count) => exchange(count, 0.048, 0.05) / count);
    assert.deepEqual(
      [...tries].sort((a, b) => b - a),
      tries,
    );
    assert((tries.at(-1) ?? 1) < 0.002);
  });

  it('sleeps again when its moments awake are in vain, and is awake for a moment only', () => {
    const { exchange } = conversation();
    exchange(200, 0.01, 0.05);
    assert.equal(exchange(1_000, 5, 0.5) < 10, true);
    assert.equal(exchange(10_000, 5, 0.5), 0);
  });

  it('sleeps again when exchanges come to take as long as they did asleep', () => {
    const { exchange } = conversation();
    exchange(200, 0.01, 0.05);
    assert(exchange(500, 0.06, 0.05) < 100);
  });

  it('forgives a vain moment now and then', () => {
    const { exchange } = conversation();
    exchange(200, 0.01, 0.05);
    for (let i = 0; i < 20; i++) {
      assert.equal(exchange(1, 5, 5), 1);
      assert.equal(exchange(400, 0.01, 0.05), 400);
    }
  });

  it('sleeps at once when a moment was in vain and a processor was taken away meanwhile', () => {
    const { exchange, preempt } = conversation();
    exchange(200, 0.01, 0.05);
    preempt();
    assert.equal(exchange(100, 0.01, 0.05), 100);
    assert.equal(exchange(1, 5, 5), 1);
    assert.equal(exchange(50, 0.01, 0.05), 0);
  });

  it('tells the other end, which stays awake, too, as long as that is not in vain', () => {
    const leader = conversation();
    leader.exchange(200, 0.01, 0.05);
    assert.equal(leader.wakefulness.left(), true);
    leader.wakefulness.came(false);
    const { wakefulness, pass } = conversation();
    const follow = (count: number, ms: number): number => {
      let awake = 0;
      for (let i = 0; i < count; i++) {
        wakefulness.came(true);
        assert.equal(wakefulness.left(), false);
        if (wakefulness.isAwake) awake += 1;
        pass(ms);
      }
      return awake;
    };
    assert.equal(follow(1_000, 0.02), 1_000);
    assert(follow(1_000, 1) < 50);
    wakefulness.came(false);
  });

  it('always sleeps where there is one processor', () => {
    const { exchange } = conversation(1);
    assert.equal(exchange(10_000, 0.01, 0.05), 0);
  });

  it('is not awake when nothing is awaited, nor longer than a tenth of a millisecond', () => {
    const { exchange, pass, wakefulness } = conversation();
    exchange(200, 0.01, 0.05);
    assert.equal(wakefulness.isAwake, false);
    wakefulness.left();
    assert.equal(wakefulness.isAwake, true);
    pass(0.11);
    assert.equal(wakefulness.isAwake, false);
  });
});
