import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

describe('refs in messages', () => {
  const system = new ActorSystem();
  let left: ProbeRef;
  let right: ProbeRef;

  before(async () => {
    left = await system.spawn(probeActor, {}, { name: 'left' });
    right = await system.spawn(probeActor, {}, { name: 'right' });
  });
  after(() => system.stop());

  it('let one actor ask another', async () => {
    assert.equal(await left.ask('askOther', { other: right, value: 'via left' }), 'via left');
  });

  it('let two actors talk while the thread that introduced them is blocked', async () => {
    const held = new Int32Array(new SharedArrayBuffer(4));
    await right.ask('keepFriend', left);
    await right.ask('askFriend', 'warm'); // the channel between the two is up
    right.tell('raiseThroughFriend', held);
    assert.notEqual(Atomics.wait(held, 0, 0, 10_000), 'timed-out');
  });

  it('come back from an actor as refs', async () => {
    const returned = await left.ask('giveRef', right);
    assert.equal(await returned.ask('echo', 'through the returned ref'), 'through the returned ref');
    returned.close();
  });

  it('give their channels back when they are forgotten', async () => {
    const target = await system.spawn(probeActor, {}, { name: 'target' });
    const channels = async () => (await system.stats()).get('target/0')?.clients;
    const before = await channels();
    assert.equal(typeof before, 'number');
    for (let i = 0; i < 20; i++) assert.equal(await left.ask('askOther', { other: target, value: i }), i);
    while ((await channels()) !== before) assert(await left.ask('collectGarbage', undefined));
  });

  it('can be sent on by an actor that was sent one', async () => {
    const relayed = await left.ask('giveRef', await right.ask('giveRef', left));
    assert.equal(await relayed.ask('threadId', undefined), await left.ask('threadId', undefined));
    relayed.close();
  });

  it('are nobody’s once they were closed and forgotten', async () => {
    const closed: WeakRef<ProbeRef>[] = [];
    for (let i = 0; i < 200; i++) {
      const ref = await left.ask('giveRef', right);
      await ref.connected;
      ref.close();
      closed.push(new WeakRef(ref));
    }
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void; // what the flag is for
    // Not all: a channel keeps its last 64 calls, and so their results.
    while (closed.filter((ref) => ref.deref() === undefined).length < 100) {
      await new Promise(setImmediate);
      collect();
    }
  });

  it('leave no channel behind when the message that they were in is refused', async () => {
    const target = await system.spawn(probeActor, {}, { name: 'refused' });
    const channels = async () => (await system.stats()).get('refused/0')?.clients;
    const before = await channels();
    const refused = { target, by: () => {} } as unknown as string; // what cannot be cloned
    for (let i = 0; i < 20; i++) assert.equal(left.tell('note', refused), 'refused');
    while ((await channels()) !== before) await new Promise(setImmediate);
  });

  describe('that are closed while their actor is busy', () => {
    let ref: ProbeRef;
    let gate: Gate;
    let blocked: Promise<void>;

    beforeEach(async () => {
      ref = await left.ask('giveRef', right);
      await ref.connected;
      gate = new Gate();
      blocked = right.ask('block', gate.cells);
      await gate.reached();
    });

    it('fail what waits for an answer as not safe to repeat, for it may be begun yet', async () => {
      const asked = assert.rejects(ref.ask('echo', 1), { code: 'ACTOR_STOPPED', retrySafe: false });
      ref.close();
      await asked;
      gate.open();
      await blocked;
    });

    it('have delivered what was told', async () => {
      const letters = system.deadLetters.total;
      assert.equal(ref.tell('note', 'told before'), 'sent');
      ref.close();
      gate.open();
      await blocked;
      while (!(await right.ask('notes', undefined)).includes('told before')) await new Promise(setImmediate);
      assert.equal(system.deadLetters.total, letters);
    });
  });
});
