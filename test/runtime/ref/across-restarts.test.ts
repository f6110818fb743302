/**
 * What a ref does when it hears of an incarnation's end and of the next one in whatever order the event loop gives: the test
 * is the group and the actors, so that it decides the order.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DeadLetters } from '../../../runtime/dead-letters.ts';
import { ActorError } from '../../../runtime/errors.ts';
import type { ActorRef } from '../../../runtime/ref/actor-ref.ts';
import { type RoutingPolicyName, routingPolicy } from '../../../runtime/routing/routing-policy.ts';
import type { InProcessTransport } from '../../../runtime/transport/in-process.ts';
import { encodeError } from '../../../runtime/wire/error-codec.ts';
import type { FakeActor } from '../support/fake-actor.ts';
import { FakePool, heard, type numbers } from '../support/fake-pool.ts';

describe('a ref, across a restart', () => {
  let feed: InProcessTransport;
  let ref: ActorRef<typeof numbers>;
  let letters: DeadLetters;
  let fake: FakePool;

  function pool(...how: ConstructorParameters<typeof FakePool>): void {
    fake?.end();
    fake = new FakePool(...how);
    ({ feed, ref, letters } = fake);
  }
  beforeEach(() => pool());
  afterEach(() => fake.end());

  const up = (index?: number): FakeActor => fake.up(index);
  const down = (index?: number): void => fake.down(index);
  const askAll = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => ref.ask('echo', from + index).catch((error) => error));

  it('sends what was not begun before what waits, though it hears of the end and of the next one at once', async () => {
    const first = up();
    await heard();
    const asks = askAll(0, 12); // eight in the mailbox, four wait
    assert.equal(ref.outboxSize, 4);
    first.read();
    first.begin(2);
    first.die();
    down();
    const second = up();
    await heard();
    assert.deepEqual(second.read(), [2, 3, 4, 5, 6, 7, 8, 9]);
    second.begin(8);
    void asks;
  });

  it('takes what the dead one had still answered, though it hears of its death first', async () => {
    const first = up();
    await heard();
    const asked = ref.ask('echo', 'q');
    first.read();
    first.begin(1);
    first.answer(0, 'a');
    first.die();
    down();
    await heard();
    assert.equal(await asked, 'a');
  });

  it('says of what was begun that it is not safe to send it again, and why the actor died', async () => {
    const first = up();
    await heard();
    const asked = ref.ask('echo', 'q');
    first.read();
    first.begin(1);
    down();
    await assert.rejects(asked, (error) => {
      assert(error instanceof ActorError && error.cause instanceof ActorError);
      assert.deepEqual([error.code, error.retrySafe], ['ACTOR_DIED', false]);
      assert.equal(error.cause.message, 'it died of hunger');
      return true;
    });
  });

  it('says of what was not begun, and gave a buffer away, that it is safe to send it again', async () => {
    up();
    await heard();
    const buffer = new ArrayBuffer(8);
    const asked = ref.ask('echo', buffer, { transfer: [buffer] });
    down();
    await assert.rejects(asked, { code: 'ACTOR_DIED', retrySafe: true });
  });

  it('says so, too, when the list of what was given away is used for something else meanwhile', async () => {
    up();
    await heard();
    const transfer = [new ArrayBuffer(8)];
    const asked = ref.ask('echo', transfer[0], { transfer });
    transfer.length = 0;
    down();
    up();
    await assert.rejects(asked, { code: 'ACTOR_DIED', retrySafe: true });
  });

  it('says of a call that was aborted after it had left that it may have been begun', async () => {
    up();
    await heard();
    const abort = new AbortController();
    const asked = ref.ask('echo', 1, { signal: abort.signal });
    abort.abort();
    await assert.rejects(asked, { code: 'ABORTED', retrySafe: false });
  });

  it('says of a call that came back and was aborted then that it is safe', async () => {
    const first = up();
    await heard();
    const abort = new AbortController();
    const asked = ref.ask('echo', 1, { signal: abort.signal });
    first.die();
    down();
    await heard();
    abort.abort();
    await assert.rejects(asked, { code: 'ABORTED', retrySafe: true });
  });

  it('does not send again what was aborted before the actor died', async () => {
    up();
    await heard();
    const abort = new AbortController();
    const left = ref.ask('echo', 'left', { signal: abort.signal }).catch(() => 'left');
    const stays = ref.ask('echo', 'stays').catch(() => {});
    abort.abort();
    assert.equal(await left, 'left');
    down();
    const second = up();
    await heard();
    assert.deepEqual(second.read(), ['stays']);
    void stays;
  });

  it('counts as dead letters the tells that were under way, and those that come back when all is over', async () => {
    const first = up();
    await heard();
    for (let i = 0; i < 3; i++) ref.tell('note', i);
    first.begin(1);
    down();
    await heard();
    assert.deepEqual([letters.total, ref.outboxSize], [1, 2]);
    fake.over();
    await heard();
    assert.deepEqual(
      letters.recent.map(({ code }) => code),
      ['ACTOR_DIED', 'ACTOR_DIED', 'ACTOR_DIED'],
    );
  });

  it('names in dead letters the tells that were under way, though others that were begun later have ended', async () => {
    const actor = up();
    await heard();
    for (let i = 0; i < 3; i++) {
      ref.tell('noteAny', i);
      ref.tell('note', i);
    }
    actor.begin(6);
    for (const index of [1, 2, 3, 5]) actor.end(index);
    actor.die();
    down();
    await heard();
    assert.deepEqual(
      letters.recent.map(({ method }) => method),
      ['noteAny', 'noteAny'],
    );
  });

  it('counts as a dead letter a tell that comes back and cannot be sent again', async () => {
    up();
    await heard();
    const buffer = new ArrayBuffer(8);
    ref.tell('noteAny', buffer);
    buffer.transfer();
    down();
    up();
    await heard();
    const [letter] = letters.recent;
    assert.deepEqual([letters.total, letter?.method, letter?.code], [1, 'noteAny', 'PROTOCOL_VIOLATION']);
    assert.match(letter?.error?.message ?? '', /detached/);
  });

  it('fails what waits for a member that was given up, and that alone', async () => {
    pool('pinned', 2);
    up(1);
    await heard();
    const lost = ref.ask('echo', 1, { member: 'pool/0' });
    const kept = ref.ask('echo', 2, { member: 'pool/1' }).catch(() => 'closed');
    const error = new ActorError('given up', { code: 'ACTOR_ESCALATED' });
    feed.post({ t: 'lost', member: 'pool/0', error: encodeError(error) });
    await assert.rejects(lost, { code: 'ACTOR_ESCALATED' });
    await assert.rejects(ref.ask('echo', 3, { member: 'pool/0' }), { code: 'ACTOR_ESCALATED' });
    ref.close();
    assert.equal(await kept, 'closed');
  });

  it('waits for a member that comes under the name of one that was given up, when that has left', async () => {
    pool('pinned', 2);
    up(0);
    const error = new ActorError('given up', { code: 'ACTOR_ESCALATED' });
    feed.post({ t: 'lost', member: 'pool/1', error: encodeError(error) });
    feed.post({ t: 'members', names: ['pool/0'] });
    feed.post({ t: 'members', names: ['pool/0', 'pool/1'] });
    await heard();
    void ref.ask('echo', 1, { member: 'pool/1' }).catch(() => {});
    assert.equal(ref.outboxSize, 1);
    const again = up(1);
    await heard();
    assert.deepEqual(again.read(), [1]);
  });

  for (const policy of ['sticky', 'pinned'] as const) {
    it(`${policy}: keeps a key at its member when that is full, and does not hold up the others`, async () => {
      pool(policy, 2, 2);
      const both = [up(0), up(1)];
      await heard();
      const routeKey = 'k';
      for (let i = 0; i < 5; i++) void ref.ask('echo', i, { routeKey }).catch(() => {});
      const home = both.find((actor) => actor.read().length > 0);
      const other = both.find((actor) => actor !== home);
      assert(home !== undefined && other !== undefined);
      assert.deepEqual(home.read(), [0, 1]);
      for (const member of ref.members) void ref.ask('echo', member, { member }).catch(() => {});
      assert.equal(other.read().length, 1);
      home.begin(2);
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      assert.deepEqual(home.read(), [0, 1, 2, 3]);
      assert.equal(other.read().length, 1);
    });
  }

  it('sticky: keeps what waited before any member was there for the member of its key', async () => {
    pool('sticky', 2, 1);
    const policy = routingPolicy('sticky', ['pool/0', 'pool/1']);
    const homeOf = (key: string) => policy.home?.(key, [{ name: 'pool/0' }, { name: 'pool/1' }]);
    const routeKey = ['a', 'b', 'c', 'd', 'e', 'f'].find((key) => homeOf(key) === 'pool/0');
    assert(routeKey !== undefined);
    for (let i = 0; i < 4; i++) void ref.ask('echo', i, { routeKey }).catch(() => {});
    const [home, other] = [up(0), up(1)];
    await heard();
    assert.deepEqual([home.read(), other.read()], [[0], []]);
  });

  /** A pool of two whose second member leaves while it ends what it is at. */
  async function shrinking(
    policy: RoutingPolicyName,
  ): Promise<readonly [stays: FakeActor, leaves: FakeActor]> {
    pool(policy, 2);
    const both = [up(0), up(1)] as const;
    await heard();
    feed.post({ t: 'members', names: ['pool/0'] });
    await heard();
    return both;
  }

  it('sticky: a member that leaves is the home of no key any more', async () => {
    const [stays, leaves] = await shrinking('sticky');
    const keys = Array.from({ length: 8 }, (_, index) => `key ${index}`);
    for (const routeKey of keys) void ref.ask('echo', routeKey, { routeKey }).catch(() => {});
    assert.deepEqual([stays.read(), leaves.read()], [keys, []]);
  });

  for (const policy of ['least-loaded', 'round-robin'] as const)
    it(`${policy}: a member that leaves is sent nothing`, async () => {
      const [stays, leaves] = await shrinking(policy);
      for (let i = 0; i < 4; i++) assert.equal(ref.tell('note', i), 'sent');
      assert.deepEqual([stays.read(), leaves.read()], [[0, 1, 2, 3], []]);
    });

  it('refuses what is told to a member that leaves', async () => {
    const [, leaves] = await shrinking('least-loaded');
    assert.equal(ref.tell('note', 1, { member: 'pool/1' }), 'refused');
    assert.deepEqual(leaves.read(), []);
  });

  it('warns once of a prefer that fails, though its pool is resized meanwhile', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error & { code?: string }) => warnings.push(warning.code ?? '');
    process.on('warning', listen);
    await shrinking('least-loaded');
    for (const names of [['pool/0', 'pool/1'], ['pool/0']]) {
      up(1);
      await heard();
      ref.tell('note', 1, { prefer: () => Number.NaN });
      feed.post({ t: 'members', names });
      await heard();
    }
    await new Promise(setImmediate);
    process.off('warning', listen);
    assert.deepEqual(warnings, ['PREFER_FAILED']);
  });

  it('asks each of the members that stay', async () => {
    const [stays] = await shrinking('least-loaded');
    const answers = ref.askEach('echo', 1);
    stays.read();
    stays.begin(1);
    stays.answer(0, 'one');
    assert.deepEqual([...(await answers)], [['pool/0', 'one']]);
  });

  it('still hears the answer of a member that leaves', async () => {
    pool('sticky', 2);
    const both = [up(0), up(1)] as const;
    await heard();
    const asked = ref.ask('echo', 'q', { member: 'pool/1' });
    both[1].read();
    both[1].begin(1);
    feed.post({ t: 'members', names: ['pool/0'] });
    await heard();
    both[1].answer(0, 'a');
    assert.equal(await asked, 'a');
  });

  it('pinned: waits for the member of a key while that is not there', async () => {
    pool('pinned', 2);
    const both = [up(0), up(1)];
    await heard();
    void ref.ask('echo', 0, { routeKey: 'k' }).catch(() => {});
    const at = both.findIndex((actor) => actor.read().length === 1);
    down(at);
    await heard();
    assert.equal(ref.outboxSize, 1);
    assert.equal(ref.tell('note', 1, { routeKey: 'k' }), 'down');
    assert.equal(ref.tell('note', 1), 'sent', 'without a key any member will do');
    const again = up(at);
    await heard();
    assert.deepEqual(again.read(), [0]);
  });

  it('sends what waited though its prefer throws then', async () => {
    pool('least-loaded', 2, 1);
    const both = [up(0), up(1)];
    await heard();
    for (const member of ref.members) void ref.ask('echo', 'fills', { member }).catch(() => {});
    const prefer = () => {
      throw new Error('a bug of the user');
    };
    const sent = ref.send('note', 7, { prefer });
    assert.equal(ref.outboxSize, 1);
    both[0]?.read();
    both[0]?.begin(1);
    await sent;
    assert.deepEqual(both[0]?.read(), ['fills', 7]);
  });

  it('gives a member what waits for it and what waits for any in the order of the calls', async () => {
    pool('least-loaded', 1, 1);
    const only = up(0);
    await heard();
    const member = 'pool/0';
    for (const [index, bound] of [false, true, false, true].entries()) {
      void ref.ask('echo', index, bound ? { member } : {}).catch(() => {});
    }
    for (let count = 1; count < 4; count++) {
      only.read();
      only.begin(1);
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
    assert.deepEqual(only.read(), [0, 1, 2, 3]);
  });
});
