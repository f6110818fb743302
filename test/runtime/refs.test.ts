import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';

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
});
