import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ActorError } from '../../runtime/errors.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import type { SystemEvents } from '../../runtime/system/system-events.ts';
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../runtime/tensors/shared-tensor.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

const QUICK = { minBackoffMs: 1, maxBackoffMs: 2 };

describe('supervision', () => {
  let system: ActorSystem;

  beforeEach(() => {
    system = new ActorSystem({ arenas: { memory: 1024 * 1024 } });
  });
  afterEach(() => system.stop());

  function next<Name extends keyof SystemEvents>(name: Name): Promise<SystemEvents[Name][0]> {
    return new Promise((resolve) =>
      system.events.once(name, (event) => resolve(event as SystemEvents[Name][0])),
    );
  }

  it('restarts an actor that crashed, and its ref keeps working', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    const before = await probe.ask('threadId', undefined);
    const down = next('actor:down');
    system.crash('probe/0', 'a drill');
    assert.match((await down).error?.message ?? '', /a drill/);
    assert.notEqual(await probe.ask('threadId', undefined), before);
    assert.deepEqual(system.status(), [{ name: 'probe/0', state: 'up', restarts: 1 }]);
  });

  for (const event of ['actor:down', 'actor:restarting', 'actor:up'] as const) {
    it(`goes on when a listener of ${event} throws`, async () => {
      const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
      system.events.on(event, () => {
        throw new Error('a bug of the user');
      });
      const warned = once(process, 'warning');
      system.crash('probe/0');
      assert.equal(await probe.ask('echo', 'back'), 'back');
      assert.equal((await warned)[0].code, 'LISTENER_FAILED');
    });
  }

  it('starts an actor though a listener of actor:up throws what cannot be made text', async () => {
    system.events.on('actor:up', () => {
      throw Object.create(null);
    });
    const warned = once(process, 'warning');
    const probe = await system.spawn(probeActor, {}, { name: 'probe' });
    assert.equal(await probe.ask('echo', 'up'), 'up');
    assert.equal((await warned)[0].code, 'LISTENER_FAILED');
  });

  it('fails what the actor had begun as not retry-safe, with why it died, and serves what it had not', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    const started = probe.ask('crash', undefined);
    const unstarted = ['a', 'b', 'c'].map((value) => probe.ask('echo', value));
    await assert.rejects(started, (error) => {
      assert(error instanceof ActorError && error.cause instanceof ActorError);
      assert.equal(error.code, 'ACTOR_DIED');
      assert.equal(error.retrySafe, false);
      assert.match(error.cause.message, /crashed in a handler/);
      return true;
    });
    assert.deepEqual(await Promise.all(unstarted), ['a', 'b', 'c']);
  });

  it('gives up an actor that crashes too often, and says so to everyone who waits', async () => {
    const probe = await system.spawn(
      probeActor,
      {},
      { name: 'probe', restart: { ...QUICK, maxRestarts: 2 } },
    );
    const escalated = next('actor:escalated');
    const outcomes: unknown[] = [];
    for (let i = 0; i < 3; i++)
      outcomes.push(await probe.ask('crash', undefined).catch((error) => error.code));
    assert.deepEqual(outcomes, ['ACTOR_DIED', 'ACTOR_DIED', 'ACTOR_DIED']);
    assert.equal((await escalated).actor, 'probe/0');
    await assert.rejects(probe.ask('echo', 1), { code: 'ACTOR_ESCALATED' });
    assert.equal(system.status()[0]?.state, 'escalated');
  });

  it('counts a restart that fails in setup as a crash', async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const restart = { ...QUICK, maxRestarts: 3 };
    const probe = await system.spawn(
      probeActor,
      { failStarts: { cell, from: 1 } },
      { name: 'probe', restart },
    );
    const down = next('actor:down');
    system.crash('probe/0');
    await down;
    await assert.rejects(probe.ask('echo', 1), { code: 'ACTOR_ESCALATED' });
    assert.equal(Atomics.load(cell, 0), 1 + restart.maxRestarts);
  });

  it('counts a restart for which no arguments can be made as a crash', async () => {
    const restart = { ...QUICK, maxRestarts: 3 };
    const lost = new Error('the arguments are lost');
    let made = 0;
    const args = () => {
      if (made++ > 0) throw lost;
      return {};
    };
    const probe = await system.spawn(probeActor, args, { name: 'probe', restart });
    const escalated = next('actor:escalated');
    system.crash('probe/0');
    assert.equal((await escalated).error, lost);
    assert.equal(made, 1 + restart.maxRestarts);
    await assert.rejects(probe.ask('echo', 1), { code: 'ACTOR_ESCALATED', cause: lost });
  });

  it('tries again after a restart for which no arguments could be made', async () => {
    let made = 0;
    const args = () => {
      if (made++ === 1) throw new Error('not now');
      return {};
    };
    const probe = await system.spawn(probeActor, args, { name: 'probe', restart: QUICK });
    const down = next('actor:down');
    system.crash('probe/0');
    await down;
    assert.equal(await probe.ask('echo', 'back'), 'back');
    assert.deepEqual(system.status(), [{ name: 'probe/0', state: 'up', restarts: 2 }]);
  });

  it('gives up an actor whose arguments cannot be sent to its next thread', async () => {
    const args = { label: 'a label', buffer: new ArrayBuffer(8) };
    await system.spawn(probeActor, args, { name: 'probe', restart: { ...QUICK, maxRestarts: 1 } });
    structuredClone(args.buffer, { transfer: [args.buffer] }); // it is somebody else's now
    const escalated = next('actor:escalated');
    system.crash('probe/0');
    assert.match((await escalated).error.message, /detached/);
  });

  it('rejects a spawn whose arguments cannot be cloned, and names the actor and the remedy', async () => {
    const args = { label: 'a label', callback() {} };
    await assert.rejects(system.spawn(probeActor, args, { name: 'probe' }), (error) => {
      assert(error instanceof ActorError);
      assert.equal(error.code, 'PROTOCOL_VIOLATION');
      assert.equal(error.details.actor, 'probe/0');
      assert.match(String(error.details.remedy), /no functions/);
      return true;
    });
    assert.deepEqual(system.status(), []);
  });

  it('rejects a spawn whose setup fails, with the error of the setup and without a retry', async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const spawn = system.spawn(probeActor, { failStarts: { cell, from: 0 } }, { name: 'probe' });
    await assert.rejects(spawn, { code: 'PROBE_START', message: 'cannot start' });
    assert.equal(Atomics.load(cell, 0), 1);
    assert.deepEqual(system.status(), []);
  });

  it('tells watchers who came and who went', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    await probe.ask('echo', 1);
    const seen: string[] = [];
    probe.watch((event) => seen.push(event.type));
    system.crash('probe/0');
    await next('actor:down');
    await probe.ask('echo', 1);
    assert.deepEqual(seen, ['down', 'up']);
  });

  it('serves a pool from the members that are left', async () => {
    const pool = await system.spawn(
      probeActor,
      {},
      { name: 'pool', size: 2, restart: { ...QUICK, maxRestarts: 0 } },
    );
    const threads = new Set<number>();
    while (threads.size < 2) threads.add(await pool.ask('threadId', undefined));
    const escalated = next('actor:escalated');
    system.crash('pool/0');
    await escalated;
    assert.equal(await pool.ask('echo', 'served'), 'served');
    assert.deepEqual(
      system.status().map(({ state }) => state),
      ['escalated', 'up'],
    );
  });

  it('takes back the shared memory that a dead actor held', async () => {
    const probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
    const tensor = await probe.ask('hold', 1024);
    const [memory] = system.arenas;
    assert.equal(memory?.stats().tensors, 1);
    assert.equal(memory.view(tensor).length, 1024);
    const down = next('actor:down');
    system.crash('probe/0');
    await down;
    assert.equal(memory.stats().tensors, 0);
    assert.throws(() => memory.view(tensor), { code: 'TENSOR_RELEASED' });
  });

  it('resumes a ref that another thread holds', async () => {
    const target = await system.spawn(probeActor, {}, { name: 'target', restart: QUICK });
    const asker: ProbeRef = await system.spawn(probeActor, {}, { name: 'asker' });
    assert.equal(await asker.ask('askOther', { other: target, value: 1 }), 1);
    system.crash('target/0');
    await next('actor:down');
    assert.equal(await asker.ask('askOther', { other: target, value: 2 }), 2);
  });
});

describe('stopping', () => {
  it('ends the threads and refuses what comes after', async () => {
    const system = new ActorSystem();
    const probe = await system.spawn(probeActor, {}, { name: 'probe' });
    assert.deepEqual(await system.stop(), { quarantined: [] });
    await assert.rejects(probe.ask('echo', 1), { code: 'ACTOR_STOPPED' });
    await assert.rejects(system.spawn(probeActor, {}, { name: 'late' }), { code: 'SYSTEM_STOPPED' });
  });

  it('refuses the messages that wait and lets the handler in progress end', async () => {
    const system = new ActorSystem();
    const probe = await system.spawn(probeActor, {}, { name: 'probe' });
    const begun = new Gate();
    const hanging = probe.ask('hang', begun.cells);
    await begun.reached();
    const waiting = probe.ask('echo', 1);
    const stopped = system.stop();
    await assert.rejects(waiting, { code: 'ACTOR_STOPPED', retrySafe: true });
    assert.equal(await hanging, 'ACTOR_STOPPED');
    await stopped;
  });

  it('hands over what an actor sent at its end, also where the caller was busy until the thread was gone', {
    skip: process.platform === 'linux' ? false : 'threads are counted in /proc',
  }, async () => {
    const system = new ActorSystem();
    const probe = await system.spawn(probeActor, {}, { name: 'probe' });
    const begun = new Gate();
    const hanging = probe.ask('hang', begun.cells);
    await begun.reached();
    const threads = threadCount();
    const stopped = system.stop();
    while (threadCount() === threads) {
      // The answer is sent and the thread is gone before this one hears of either.
    }
    assert.equal(await hanging, 'ACTOR_STOPPED');
    await stopped;
  });

  it('gives the memory of its arenas to the next system', async () => {
    const bytes = 5 * 32 * 1024; // a size that no other test has
    const system = new ActorSystem({ arenas: { memory: bytes } });
    const probe = await system.spawn(probeActor, {}, { name: 'probe' });
    const { buffer } = theMemory(system).view(await probe.ask('hold', 1024));
    await system.stop();
    const next = theMemory(new ActorSystem({ arenas: { memory: bytes } }));
    assert.equal(next.view(allocated(next)).buffer, buffer);
  });

  it('gives the memory of its load board to the next system', async () => {
    const sizes: (number | undefined)[] = [];
    const original = globalThis.SharedArrayBuffer;
    const system = new ActorSystem();
    await system.spawn(probeActor, {}, { name: 'probe' });
    await system.stop();
    globalThis.SharedArrayBuffer = class extends original {
      constructor(byteLength?: number) {
        super(byteLength);
        sizes.push(byteLength);
      }
    };
    try {
      new ActorSystem();
      assert.deepEqual(sizes, []);
      assert.equal(system.leftBehind, 0); // what nobody has any more can be collected
    } finally {
      globalThis.SharedArrayBuffer = original;
    }
  });

  it('keeps the memory of its arenas from the next system when a thread is left behind', async () => {
    const bytes = 7 * 32 * 1024; // a size that no other test has
    const system = new ActorSystem({ arenas: { memory: bytes }, stopGraceMs: 20 });
    const probe = await system.spawn(probeActor, {}, { name: 'stuck' });
    const { buffer } = theMemory(system).view(await probe.ask('hold', 1024));
    const gate = new Gate();
    probe.ask('block', gate.cells).catch(() => {});
    await gate.reached();
    assert.deepEqual(await system.stop(), { quarantined: ['stuck/0'] });
    const next = theMemory(new ActorSystem({ arenas: { memory: bytes } }));
    assert.notEqual(next.view(allocated(next)).buffer, buffer);
    gate.open();
  });

  it('quarantines an actor that does not stop within its grace', async () => {
    const system = new ActorSystem({ stopGraceMs: 20 });
    const probe = await system.spawn(probeActor, {}, { name: 'stuck' });
    const gate = new Gate();
    const asked = probe.ask('block', gate.cells);
    await gate.reached();
    assert.deepEqual(await system.stop(), { quarantined: ['stuck/0'] });
    await assert.rejects(asked, { code: 'ACTOR_DIED', retrySafe: false });
    gate.open();
  });
});

function theMemory({ arenas }: ActorSystem): SharedArena {
  const [memory] = arenas;
  assert(memory !== undefined);
  return memory;
}

function allocated(arena: SharedArena): SharedTensor<'float32'> {
  const tensor = arena.tryAllocate('float32', [1024], 1);
  assert(tensor !== undefined);
  return tensor;
}

function threadCount(): number {
  return readdirSync('/proc/self/task').length;
}
