import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ResourceLimits } from 'node:worker_threads';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import type { SpawnOptions } from '../../runtime/system/system-options.ts';
import probe from './actors/probe-actor.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

const ONCE = { maxRestarts: 0 };
const QUICK = { minBackoffMs: 1, maxBackoffMs: 2 };

describe('a pool', () => {
  let system: ActorSystem;

  beforeEach(() => {
    system = new ActorSystem();
  });
  afterEach(() => system.stop());

  const spawn = (options: Partial<SpawnOptions> = {}): Promise<ProbeRef> =>
    system.spawn(probeActor, {}, { name: 'pool', ...options });
  const threadsOf = async (pool: ProbeRef) => [...(await pool.askEach('threadId', undefined)).values()];
  const escalated = () => new Promise((resolve) => system.events.once('actor:escalated', resolve));

  const WRONG: readonly (readonly [field: string, options: Partial<SpawnOptions>])[] = [
    ['size', { size: 0 }],
    ['size', { size: -1 }],
    ['size', { size: Number.NaN }],
    ['size', { size: 1.5 }],
    ['size', { size: '2' as unknown as number }],
    ['mailbox.messages', { mailbox: { messages: 0 } }],
    ['mailbox.bytes', { mailbox: { bytes: -1 } }],
    ['outbox', { outbox: Number.POSITIVE_INFINITY }],
    ['routing', { routing: 'random' as 'sticky' }],
    ['name', { name: '' }],
  ];
  for (const [field, options] of WRONG) {
    it(`is refused with ${JSON.stringify(options)}, and the field is named`, async () => {
      await assert.rejects(spawn(options), (error) => {
        const { code, details } = Object(error);
        assert.deepEqual([code, details.field], ['OPTION_INVALID', field]);
        return true;
      });
      assert.deepEqual(system.status(), []);
    });
  }

  it('gives its threads the limits and the environment that it was asked for', async () => {
    const thread = { resourceLimits: { maxYoungGenerationSizeMb: 8 }, env: { GREETING: 'hello' } };
    const pool = await spawn({ thread });
    assert.equal(await pool.ask('youngGeneration', undefined), 8);
    assert.equal(await pool.ask('environment', 'GREETING'), 'hello');
    assert.equal(await pool.ask('environment', 'PATH'), undefined);
  });

  it('gives its threads the usual room for young objects where undefined is given', async () => {
    const usual = await (await spawn()).ask('youngGeneration', undefined);
    const resourceLimits = { maxYoungGenerationSizeMb: undefined } as ResourceLimits; // as a program without types does
    const other = await spawn({ name: 'other', thread: { resourceLimits } });
    assert.equal(await other.ask('youngGeneration', undefined), usual);
  });

  it('says of each member how busy its thread was and how large its heap is', async () => {
    await spawn();
    const stats = (await system.stats()).get('pool/0');
    const { eventLoopUtilization, heapBytes } = stats ?? {};
    assert(
      typeof eventLoopUtilization === 'number' && eventLoopUtilization >= 0 && eventLoopUtilization <= 1,
    );
    assert(typeof heapBytes === 'number' && heapBytes > 0);
  });

  it('lets each member be asked, and all of them', async () => {
    const pool = await spawn({ size: 3 });
    const all = await pool.askEach('threadId', undefined);
    assert.deepEqual([...all.keys()].toSorted(), ['pool/0', 'pool/1', 'pool/2']);
    for (const [member, thread] of all) {
      assert.equal(await pool.ask('threadId', undefined, { member }), thread);
    }
    await assert.rejects(pool.ask('echo', 1, { member: 'pool/3' }), { code: 'PROTOCOL_VIOLATION' });
  });

  it('lets all members be told', async () => {
    const pool = await spawn({ size: 2 });
    assert.deepEqual([...pool.tellEach('note', 'all').values()], ['sent', 'sent']);
    assert.deepEqual([...(await pool.askEach('notes', undefined)).values()], [['all'], ['all']]);
  });

  it('fails calls of a ref at once that is passed on after the pool was given up', async () => {
    const pool = await spawn({ restart: ONCE });
    const other: ProbeRef = await system.spawn(probeActor, {}, { name: 'other' });
    const over = escalated();
    system.crash('pool/0');
    await over;
    await assert.rejects(other.ask('askOther', { other: pool, value: 1 }), { code: 'ACTOR_ESCALATED' });
  });

  it('gives its name back when it was given up', async () => {
    const pool = await spawn({ restart: ONCE });
    const over = escalated();
    system.crash('pool/0');
    await over;
    await assert.rejects(pool.ask('echo', 1), { code: 'ACTOR_ESCALATED' });
    assert.equal(await (await spawn()).ask('echo', 2), 2);
  });

  it('is stopped alone, and gives its name back', async () => {
    const pool = await spawn();
    const other = await system.spawn(probeActor, {}, { name: 'other' });
    assert.deepEqual(await system.stopPool('pool'), { quarantined: [] });
    await assert.rejects(pool.ask('echo', 1), { code: 'ACTOR_STOPPED' });
    assert.equal(await other.ask('echo', 2), 2);
    assert.equal(await (await spawn()).ask('echo', 3), 3);
    await assert.rejects(system.stopPool('nobody'), { code: 'POOL_UNKNOWN' });
  });

  it('is restarted: what is in progress ends, what waits is served by the next incarnation', async () => {
    const pool = await spawn({ restart: QUICK });
    const [before] = await threadsOf(pool);
    const begun = new Gate();
    const inProgress = pool.ask('hang', begun.cells); // until it is told to stop
    await begun.reached();
    const waits = [1, 2, 3].map((value) => pool.ask('echo', value));
    while (system.loads().get('pool/0')?.queueDepth !== 3) await new Promise(setImmediate);
    const restarted = system.restartPool('pool');
    assert.equal(await inProgress, 'ACTOR_STOPPED');
    assert.deepEqual(await Promise.all(waits), [1, 2, 3]);
    await restarted;
    assert.notEqual((await threadsOf(pool))[0], before);
    assert.equal(system.status()[0]?.state, 'up');
  });

  for (const [what, stop] of [
    ['alone', () => system.stopPool('pool')],
    ['with the system', () => system.stop()],
  ] as const) {
    it(`is stopped ${what} while it is restarted: what is in progress ends before, and is answered`, async () => {
      const pool = await spawn();
      const gate = new Gate();
      let hasEnded = false;
      const inProgress = pool.ask('block', gate.cells).then(() => {
        hasEnded = true;
      });
      await gate.reached();
      const restarted = system.restartPool('pool');
      const stopped = stop().then(() => hasEnded);
      gate.open();
      await inProgress;
      assert(await stopped);
      await restarted;
    });
  }

  it('is tried again as after a crash when no arguments can be made at its restart', async () => {
    let made = 0;
    const args = () => {
      if (made++ === 1) throw new Error('not now');
      return {};
    };
    const pool = await system.spawn(probeActor, args, { name: 'pool', restart: QUICK });
    await assert.rejects(system.restartPool('pool'), { message: 'not now' });
    assert.equal(await pool.ask('echo', 1), 1);
  });

  it('has the members of the last size when it is resized while one leaves', async () => {
    const pool = await spawn({ size: 2 });
    const gate = new Gate();
    const blocked = pool.ask('block', gate.cells, { member: 'pool/1' });
    await gate.reached();
    const resized = [system.resizePool('pool', 1), system.resizePool('pool', 2)];
    gate.open();
    await blocked;
    await Promise.all(resized);
    assert.equal(await pool.ask('echo', 'again', { member: 'pool/1' }), 'again');
    assert.deepEqual(pool.members, ['pool/0', 'pool/1']);
  });

  it('takes no more members when it is told to stop', async () => {
    const pool = await spawn();
    const gate = new Gate();
    const blocked = pool.ask('block', gate.cells);
    await gate.reached();
    const stopped = system.stopPool('pool');
    const grown = assert.rejects(system.resizePool('pool', 2), { code: 'POOL_UNKNOWN' });
    gate.open();
    await Promise.all([blocked, stopped, grown]);
  });

  it('has each member once when one of several that are added cannot start', async () => {
    const setUp = Promise.withResolvers<void>();
    let failures = 0;
    const actor: typeof probe = {
      ...probe,
      async setup(args, context) {
        if (args.label === '1' && failures++ === 0) {
          await setUp.promise;
          throw new Error('not now');
        }
        return await probe.setup(args, context);
      },
    };
    const args = (index: number) => ({ label: String(index) });
    const pool: ProbeRef = await system.spawnLocal(actor, args, { name: 'pool' });
    const fails = assert.rejects(system.resizePool('pool', 2), { message: 'not now' });
    await system.resizePool('pool', 3);
    setUp.resolve();
    await fails;
    await system.resizePool('pool', 3);
    assert.deepEqual([...pool.members].sort(), ['pool/0', 'pool/1', 'pool/2']);
    assert.deepEqual(
      system.status().map(({ name }) => name),
      ['pool/0', 'pool/2', 'pool/1'],
    );
  });

  it('grows', async () => {
    const pool = await spawn();
    await system.resizePool('pool', 3);
    assert.equal(new Set(await threadsOf(pool)).size, 3);
  });

  it('shrinks: the member that goes ends what it is at, and what waits there is served by the others', async () => {
    const pool = await spawn({ size: 2 });
    const begun = new Gate();
    const inProgress = pool.ask('hang', begun.cells, { member: 'pool/1' }); // until it is told to stop
    await begun.reached();
    const blocked = new Gate();
    const first = pool.ask('block', blocked.cells, { member: 'pool/0' });
    await blocked.reached();
    const waits = Array.from({ length: 10 }, () => pool.ask('threadId', undefined));
    while (system.loads().get('pool/1')?.queueDepth !== 5) await new Promise(setImmediate);
    const shrunk = system.resizePool('pool', 1);
    assert.equal(await inProgress, 'ACTOR_STOPPED');
    assert.deepEqual(await shrunk, { quarantined: [] });
    blocked.open();
    await first;
    assert.deepEqual([...new Set(await Promise.all(waits))], await threadsOf(pool));
    assert.deepEqual(
      system.status().map(({ name }) => name),
      ['pool/0'],
    );
    await assert.rejects(pool.ask('echo', 1, { member: 'pool/1' }), { code: 'PROTOCOL_VIOLATION' });
  });

  it('stays as it was when it cannot grow', async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const pool: ProbeRef = await system.spawn(
      probeActor,
      { failStarts: { cell, from: 1 } },
      { name: 'pool' },
    );
    await assert.rejects(system.resizePool('pool', 2), { code: 'PROBE_START' });
    assert.deepEqual(
      system.status().map(({ name, state }) => [name, state]),
      [['pool/0', 'up']],
    );
    assert.equal(await pool.ask('echo', 1), 1);
  });

  it('fails its callers when it is shrunk to members that were given up', async () => {
    const pool = await spawn({ size: 2, restart: ONCE });
    const over = escalated();
    system.crash('pool/0');
    await over;
    await system.resizePool('pool', 1);
    await assert.rejects(pool.ask('echo', 1), { code: 'ACTOR_ESCALATED' });
  });

  it('lets the last member answer what it is at when those that stay were given up', async () => {
    const pool = await spawn({ size: 2, restart: ONCE });
    const over = escalated();
    system.crash('pool/0');
    await over;
    const gate = new Gate();
    const inProgress = pool.ask('block', gate.cells);
    await gate.reached();
    const waits = pool.ask('echo', 1);
    const shrunk = system.resizePool('pool', 1);
    gate.open();
    await inProgress;
    await assert.rejects(waits, { code: 'ACTOR_ESCALATED' });
    await shrunk;
  });

  it('fails its callers when its members are given up while it cannot grow', async () => {
    const setUp = Promise.withResolvers<void>();
    const actor: typeof probe = {
      ...probe,
      async setup(args, context) {
        if (args.label === '1') await setUp.promise;
        return await probe.setup(args, context);
      },
    };
    const args = (index: number) => ({ label: String(index) });
    const pool: ProbeRef = await system.spawnLocal(actor, args, { name: 'pool', restart: ONCE });
    const grown = system.resizePool('pool', 2);
    const over = escalated();
    system.crash('pool/0');
    await over;
    setUp.reject(new Error('cannot start'));
    await assert.rejects(grown, { message: 'cannot start' });
    await assert.rejects(pool.ask('echo', 1), { code: 'ACTOR_ESCALATED' });
  });

  it('counts a thread that ends by itself as crashed', async () => {
    const pool = await spawn({ restart: QUICK });
    const down = new Promise<Error | undefined>((resolve) =>
      system.events.once('actor:down', ({ error }) => resolve(error)),
    );
    await assert.rejects(pool.ask('exit', undefined), { code: 'ACTOR_DIED', retrySafe: false });
    assert.equal((await down)?.message, 'pool/0 died: it ended by itself');
    assert.equal(await pool.ask('echo', 1), 1);
  });
});

describe('pools that do not stop', () => {
  it('take one grace together, not one each', async ({ mock }) => {
    const system = new ActorSystem({ stopGraceMs: 40 });
    const gates: Gate[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      const probe = await system.spawn(probeActor, {}, { name });
      const gate = new Gate();
      probe.ask('block', gate.cells).catch(() => {});
      await gate.reached();
      gates.push(gate);
    }
    // The clock is read once a pool: from the second reading on the grace is over.
    let readings = 0;
    mock.method(performance, 'now', () => (readings++ === 0 ? 0 : 40));
    const { quarantined } = await system.stop();
    assert.deepEqual(quarantined.toSorted(), ['a/0', 'b/0', 'c/0', 'd/0']);
    mock.restoreAll();
    for (const gate of gates) gate.open();
  });
});
