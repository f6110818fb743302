import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { threadId } from 'node:worker_threads';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import probe from './actors/probe-actor.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

describe("an actor on the system's own thread", () => {
  let system: ActorSystem;
  let local: ProbeRef;

  beforeEach(async () => {
    system = new ActorSystem();
    local = await system.spawnLocal(probe, {}, { name: 'local', restart: { minBackoffMs: 1 } });
  });
  afterEach(() => system.stop());

  it('answers like any other, without a thread', async () => {
    assert.equal(await local.ask('threadId', undefined), threadId);
    await assert.rejects(local.ask('fail', 'declared'), { code: 'PROBE_DECLARED' });
  });

  it('is given payloads by reference', async () => {
    const value = { callback: () => 1 };
    assert.equal(await local.ask('echo', value), value);
  });

  it('streams', async () => {
    const seen: number[] = [];
    for await (const chunk of local.stream('count', 5, { window: 2 })) seen.push(chunk);
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  });

  it('stops computing when its stream is interrupted', async () => {
    for await (const _ of local.stream('endless', undefined)) break;
    await local.ask('echo', 'a turn');
    assert.equal((await local.ask('notes', undefined)).at(-1), 'endless: ABORTED');
  });

  it('can be asked by an actor on a thread', async () => {
    const remote: ProbeRef = await system.spawn(probeActor, {}, { name: 'remote' });
    assert.equal(await remote.ask('askOther', { other: local, value: 'home' }), 'home');
  });

  it('can ask an actor on a thread, and hand it a stream', async () => {
    const remote: ProbeRef = await system.spawn(probeActor, {}, { name: 'remote' });
    assert.equal(await local.ask('askOther', { other: remote, value: 'away' }), 'away');
  });

  describe('that hands a stream on to an actor on a thread', () => {
    let remote: ProbeRef;
    beforeEach(async () => {
      remote = await system.spawn(probeActor, {}, { name: 'remote' });
    });
    const relayed = (upTo: number) => local.stream('relay', { to: remote, upTo }, { window: 2 });

    it('has its reader read what that one writes', async () => {
      const stream = relayed(5);
      const seen: number[] = [];
      for await (const chunk of stream) seen.push(chunk);
      assert.deepEqual([seen, await stream.final], [[1, 2, 3, 4, 5], 'remote/0']);
    });

    it('has that one interrupted when the reader leaves', async () => {
      for await (const _ of relayed(Number.POSITIVE_INFINITY)) break;
      assert.equal(await remote.ask('echo', 'free'), 'free');
    });

    it('has the reader told when that one dies', async () => {
      const stream = relayed(Number.POSITIVE_INFINITY);
      await stream[Symbol.asyncIterator]().next();
      system.crash('remote/0');
      await assert.rejects(stream.final, { code: 'ACTOR_DIED' });
    });
  });

  it('has the readers of what it wrote told when it dies', async () => {
    const stream = local.stream('neverEnd', undefined);
    await stream[Symbol.asyncIterator]().next();
    system.crash('local/0');
    await assert.rejects(stream.final, { code: 'ACTOR_DIED' });
  });

  it('has the readers of what it wrote told when it is left behind', async () => {
    const impatient = new ActorSystem({ stopGraceMs: 1 });
    const deaf = await impatient.spawnLocal(probe, {}, { name: 'deaf' });
    const stream = deaf.stream('neverEnd', undefined);
    await stream[Symbol.asyncIterator]().next();
    deaf.tell('hangTold', new Gate().cells);
    await impatient.stop();
    await assert.rejects(stream.final, { code: 'ACTOR_DIED' });
  });

  it('does not start in its dead incarnation what its next one is sent', async () => {
    const echoes = ['a', 'b'].map((value) => local.ask('echo', value));
    system.crash('local/0');
    assert.deepEqual(await Promise.all(echoes), ['a', 'b']);
    assert.equal(system.status()[0]?.restarts, 1);
  });

  it('is restarted after a crash', async () => {
    const begun = new Gate();
    const died = local.ask('hang', begun.cells);
    await begun.reached();
    system.crash('local/0');
    await assert.rejects(died, { code: 'ACTOR_DIED', retrySafe: false });
    assert.equal(await local.ask('echo', 'back'), 'back');
    assert.equal(system.status()[0]?.restarts, 1);
  });
});
