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
