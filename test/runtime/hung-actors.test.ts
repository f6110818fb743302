import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ActorError } from '../../runtime/errors.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import type { SystemEvents } from '../../runtime/system/system-events.ts';
import { workTag } from '../../runtime/thread/this-thread.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

const QUICK = { minBackoffMs: 1, maxBackoffMs: 2 };
/** Short, so that the tests are; what a thread on a busy machine needs for a turn fits in. */
const LIMITS = { turnMs: 1_500, setUpMs: 4_000, nativeMs: 1_500 };

describe('an actor that hangs', () => {
  let system: ActorSystem;
  const gates: Gate[] = [];

  beforeEach(() => {
    system = new ActorSystem({ arenas: { memory: 1024 * 1024 }, watchdog: LIMITS });
  });
  afterEach(async () => {
    for (const gate of gates.splice(0)) gate.open();
    await system.stop();
  });

  function gate(): Gate {
    const made = new Gate();
    gates.push(made);
    return made;
  }

  function next<Name extends keyof SystemEvents>(name: Name): Promise<SystemEvents[Name][0]> {
    return new Promise((resolve) =>
      system.events.once(name, (event) => resolve(event as SystemEvents[Name][0])),
    );
  }

  it('in JavaScript is ended and replaced, and says whom it worked for', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    await probe.ask('hold', 64);
    const hung = next('actor:hung');
    const begun = gate();
    const spun = probe.ask('spin', { gate: begun.cells, requestId: 'request-7' });
    const behind = probe.ask('echo', 'had not begun');
    await assert.rejects(spun, { code: 'ACTOR_DIED' });
    assert.deepEqual(await hung, { actor: 'probe/0', work: workTag('request-7') });
    assert.equal(await behind, 'had not begun');
    assert.equal(system.arenas[0]?.stats().tensors, 0);
    assert.deepEqual(system.status(), [{ name: 'probe/0', state: 'up', restarts: 1 }]);
  });

  it('is why its control calls fail, instead of waiting for ever', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    const begun = gate();
    const spun = assert.rejects(probe.ask('spin', { gate: begun.cells, requestId: 'a' }), {
      code: 'ACTOR_DIED',
    });
    await begun.reached();
    const [stats, forgotten] = await Promise.all([system.stats(), system.control('probe', 'forget')]);
    assert.deepEqual([stats.size, forgotten.size], [0, 0]);
    await spun;
  });

  it('loses none of the asks of its pool that it had not begun', async () => {
    const pool = await system.spawn(probeActor, {}, { name: 'pool', size: 2, restart: QUICK });
    const begun = gate();
    const spun = assert.rejects(pool.ask('spin', { gate: begun.cells, requestId: 'a' }), {
      code: 'ACTOR_DIED',
    });
    await begun.reached();
    const values = Array.from({ length: 20 }, (_, index) => index);
    assert.deepEqual(await Promise.all(values.map((value) => pool.ask('echo', value))), values);
    await spun;
  });

  it('in its setup fails the spawn', async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const spawn = system.spawn(probeActor, { spinStarts: { cell, from: 0 } }, { name: 'probe' });
    await assert.rejects(spawn, { code: 'ACTOR_DIED' });
    assert.deepEqual(system.status(), []);
  });

  it('in the setup of a restart counts as a crash', async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const restart = { ...QUICK, maxRestarts: 1 };
    const probe = await system.spawn(
      probeActor,
      { spinStarts: { cell, from: 1 } },
      { name: 'probe', restart },
    );
    const down = next('actor:down');
    system.crash('probe/0');
    await down;
    await assert.rejects(probe.ask('echo', 1), { code: 'ACTOR_ESCALATED' });
  });

  it('in native code is left behind and replaced, and ends when it comes out', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    await probe.ask('hold', 64);
    const [memory] = system.arenas;
    const quarantined = next('actor:quarantined');
    const inside = gate();
    await assert.rejects(probe.ask('native', inside.cells), { code: 'ACTOR_DIED', retrySafe: false });
    assert.deepEqual(await quarantined, { actor: 'probe/0' });
    assert.equal(await probe.ask('echo', 'from the next'), 'from the next');
    assert.equal(system.leftBehind, 1);
    assert.equal(memory?.stats().tensors, 1, 'native code may still write what it holds');
    inside.open();
    while (memory?.stats().tensors !== 0) await new Promise(setImmediate);
    assert.equal(system.leftBehind, 0);
    assert.equal(await probe.ask('echo', 'still there'), 'still there');
  });

  it('in JavaScript, before a call of native code has begun, is ended and not left behind', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    await assert.rejects(probe.ask('spinBeforeNative', undefined), { code: 'ACTOR_DIED' });
    assert.equal(await probe.ask('echo', 'from the next'), 'from the next');
    assert.equal(system.leftBehind, 0);
  });

  it('in native code ends the streams that it writes, those that others handed over too', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    const giver: ProbeRef = await system.spawn(probeActor, {}, { name: 'giver' });
    const reader = giver.stream('relayBlock', { to: probe, cells: gate().cells });
    const seen: number[] = [];
    await assert.rejects(
      async () => {
        for await (const chunk of reader) seen.push(chunk);
      },
      (error) => {
        assert(error instanceof ActorError && error.cause instanceof ActorError);
        assert.equal(error.code, 'ACTOR_DIED');
        assert.match(error.cause.message, /^probe\/0 hung: it did not come back from native code/);
        return true;
      },
    );
    assert.deepEqual(seen, [1]);
  });

  it('in native code ends the streams that another thread reads', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    const other: ProbeRef = await system.spawn(probeActor, {}, { name: 'other' });
    assert.equal(await other.ask('readBlocked', { from: probe, cells: gate().cells }), 'ACTOR_DIED');
  });

  it('in native code is reported by the stop, since it may keep the process', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    await assert.rejects(probe.ask('native', gate().cells), { code: 'ACTOR_DIED' });
    assert.deepEqual(await system.stop(), { quarantined: ['probe/0'] });
  });

  it('does not keep the system from being stopped', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    const begun = gate();
    const spun = assert.rejects(probe.ask('spin', { gate: begun.cells, requestId: 'a' }));
    await begun.reached();
    await system.stop();
    await spun;
    assert.deepEqual(system.status(), [{ name: 'probe/0', state: 'stopped', restarts: 0 }]);
  });

  it('in the middle of a change to an arena, with its lock, is ended when the end of another needs that lock', async ({
    mock,
  }) => {
    await using own = new ActorSystem({
      arenas: { memory: 1024 * 1024 },
      watchdog: { turnMs: Number.POSITIVE_INFINITY },
    });
    const other = await own.spawn(probeActor, {}, { name: 'other' });
    const probe = await own.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    await other.ask('hold', 64);
    const begun = gate();
    const hung = assert.rejects(probe.ask('hangInLock', begun.cells), { code: 'ACTOR_DIED' });
    await begun.reached();
    let now = performance.now();
    mock.method(performance, 'now', () => {
      now += 1_000;
      return now;
    });
    mock.method(Atomics, 'wait', () => 'timed-out'); // the patience of five seconds
    await own.stopPool('other');
    mock.restoreAll();
    await hung;
    assert.equal(await probe.ask('echo', 'again'), 'again');
    assert.equal(own.arenas[0]?.stats().tensors, 0);
  });
});
