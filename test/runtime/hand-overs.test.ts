import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

/** `giver` takes one message at a time: it answers an echo only when its hand-over has been answered. */
describe('a stream that is handed over and waits', () => {
  let system: ActorSystem;
  let giver: ProbeRef;
  let taker: ProbeRef;
  let free: AbortController;
  let busy: Promise<unknown>;

  beforeEach(async () => {
    system = new ActorSystem();
    giver = await system.spawn(probeActor, {}, { name: 'giver' });
    taker = await system.spawn(probeActor, {}, { name: 'taker', restart: { minBackoffMs: 1 } });
    const begun = new Gate();
    free = new AbortController();
    busy = taker.ask('hang', begun.cells, { signal: free.signal, deadlineMs: 2 ** 31 }).catch(() => {});
    await begun.reached();
    await waiting(0); // what it publishes may still count the message that it has begun
  });
  afterEach(async () => {
    free.abort();
    await busy;
    await system.stop();
  });

  /** Resolves when so many messages lie in the taker's mailbox. */
  async function waiting(count: number): Promise<void> {
    while (system.loads().get('taker/0')?.queueDepth !== count) await new Promise(setImmediate);
  }

  it('is answered when its reader leaves, while the actor is still busy', async () => {
    const leave = new AbortController();
    const reader = giver.stream('relay', { to: taker, upTo: 3 }, { signal: leave.signal });
    await waiting(1);
    leave.abort();
    await assert.rejects(reader.final, { code: 'ABORTED' });
    assert.equal(await giver.ask('echo', 'free again'), 'free again');
    await waiting(1); // it keeps its place until its turn
    free.abort();
    await waiting(0);
  });

  it('is answered when its reader has left before it was handed over', async () => {
    const begun = new Gate();
    const hold = new AbortController();
    const held = giver.ask('hang', begun.cells, { signal: hold.signal, deadlineMs: 2 ** 31 });
    await begun.reached();
    const reader = giver.stream('relay', { to: taker, upTo: 3 });
    reader.cancel();
    hold.abort();
    await assert.rejects(held, { code: 'ABORTED' });
    await assert.rejects(reader.final, { code: 'ABORTED' });
    assert.equal(await giver.ask('echo', 'free'), 'free');
  });

  it('is answered when its sender stops waiting for it', async () => {
    const reader = giver.stream('relay', { to: taker, upTo: 3, deadlineMs: 1 }); // of the hand-over
    await assert.rejects(reader.final, { code: 'ASK_TIMEOUT' });
    assert.equal(await giver.ask('echo', 'free'), 'free');
  });

  it('tells its reader that the actor was stopped, where that is why it is not waited for any more', async () => {
    const waits = giver.stream('relay', { to: taker, upTo: 3, untilStopped: true });
    await waiting(1);
    const restarted = system.restartPool('giver');
    await assert.rejects(waits.final, { code: 'ACTOR_STOPPED', retrySafe: false });
    await restarted;
    const late = system.declare(probeActor, { name: 'late' });
    const held = giver.stream('relay', { to: late.ref, upTo: 3, untilStopped: true });
    while (system.loads().get('giver/0')?.running !== 1) await new Promise(setImmediate);
    const again = system.restartPool('giver');
    await assert.rejects(held.final, { code: 'ACTOR_STOPPED', retrySafe: true });
    await again;
  });

  it('is answered when its actor is stopped', async () => {
    const reader = giver.stream('relay', { to: taker, upTo: 3 });
    await waiting(1);
    await system.stop(); // the youngest first: the taker, then the giver
    await assert.rejects(reader.final, { code: 'ACTOR_STOPPED' });
  });

  it('is answered when its actor dies', async () => {
    const reader = giver.stream('relay', { to: taker, upTo: 3 });
    await waiting(1);
    system.crash('taker/0');
    await assert.rejects(reader.final, { code: 'ACTOR_DIED' });
    assert.equal(await giver.ask('echo', 'free'), 'free');
  });

  it('is answered when its reader leaves while no actor has room for it', async () => {
    const late = system.declare(probeActor, { name: 'late' });
    const leave = new AbortController();
    const reader = giver.stream('relay', { to: late.ref, upTo: 3 }, { signal: leave.signal });
    while (system.loads().get('giver/0')?.running !== 1) await new Promise(setImmediate);
    leave.abort();
    await assert.rejects(reader.final, { code: 'ABORTED' });
    await late.start({});
    assert.equal(await giver.ask('echo', 'free'), 'free');
  });

  it('leaves the order of those that wait beside it as it was', async () => {
    const leave = new AbortController();
    const left = giver.stream('relay', { to: taker, upTo: 3 }, { signal: leave.signal });
    await waiting(1);
    const stays = giver.ask('echo', 'behind the hand-over');
    leave.abort();
    await assert.rejects(left.final, { code: 'ABORTED' });
    assert.equal(await stays, 'behind the hand-over');
    const relayed = giver.stream('relay', { to: taker, upTo: 2 });
    await waiting(2);
    free.abort();
    const seen: number[] = [];
    for await (const chunk of relayed) seen.push(chunk);
    assert.deepEqual(seen, [1, 2]);
  });
});
