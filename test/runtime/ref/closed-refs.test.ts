/** What becomes of what was told and asked by a ref that is closed then: the test is the group and the actors. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { FakeActor } from '../support/fake-actor.ts';
import { FakePool, heard } from '../support/fake-pool.ts';

const turn = () => new Promise(setImmediate);

describe('a ref that is closed', () => {
  let pool: FakePool;
  beforeEach(() => {
    pool = new FakePool();
  });
  afterEach(() => pool.end());

  it('has the next one get what was told and not begun', async () => {
    pool.up();
    await heard();
    pool.ref.tell('note', 1);
    pool.ref.close();
    pool.down();
    const second = pool.up();
    await heard();
    assert.deepEqual(second.read(), [1]);
    assert.equal(pool.letters.total, 0);
  });

  it('counts as a dead letter what was told and will never be begun', async () => {
    pool.up();
    await heard();
    pool.ref.tell('note', 1);
    pool.ref.close();
    pool.over();
    await heard();
    assert.deepEqual([pool.letters.total, pool.letters.recent[0]?.method], [1, 'note']);
  });

  for (const [when, begin] of [
    ['before', (actor: FakeActor) => actor.begin(2)],
    ['after', () => {}],
  ] as const)
    it(`counts as a dead letter what was told and has begun ${when} it was closed, when the actor dies of it`, async () => {
      const actor = pool.up();
      await heard();
      pool.ref.tell('note', 1);
      pool.ref.tell('noteAny', 2);
      actor.read();
      begin(actor);
      pool.ref.close();
      actor.read();
      if (when === 'after') actor.begin(2);
      actor.end(0);
      await turn();
      actor.die();
      await turn();
      pool.down();
      await heard();
      assert.deepEqual(
        pool.letters.recent.map(({ method, code, error }) => [method, code, error?.message]),
        [['noteAny', 'ACTOR_DIED', 'it died of hunger, before it answered noteAny']],
      );
    });

  it('keeps its channel no longer than until all that was told has ended', async () => {
    const actor = pool.up();
    await heard();
    for (let i = 0; i < 3; i++) pool.ref.tell('note', i);
    pool.ref.close();
    assert.deepEqual(actor.read(), [0, 1, 2]);
    actor.begin(3);
    for (const index of [2, 0, 1]) actor.end(index);
    await actor.left.promise;
  });

  it('keeps no channel when all that was told has ended before', async () => {
    const actor = pool.up();
    await heard();
    pool.ref.tell('note', 1);
    actor.read();
    actor.begin(1);
    actor.end(0);
    pool.ref.close();
    await actor.left.promise;
    assert.equal(pool.letters.total, 0);
  });

  it('takes nothing more, though it keeps its channel', async () => {
    const actor = pool.up();
    await heard();
    pool.ref.tell('note', 1);
    pool.ref.close();
    assert.equal(pool.ref.tell('note', 2), 'down');
    await assert.rejects(pool.ref.ask('echo', 3), { code: 'ACTOR_STOPPED' });
    assert.deepEqual([pool.ref.members, actor.read()], [[], [1]]);
  });

  it('has no ask begun any more, though it keeps its channel', async () => {
    const actor = pool.up();
    await heard();
    pool.ref.tell('note', 1);
    const asked = pool.ref.ask('echo', 2).catch((error) => error.code);
    pool.ref.close();
    assert.equal(await asked, 'ACTOR_STOPPED');
    actor.read();
    assert.deepEqual(actor.cancelled, [actor.got[1]?.t === 'ask' && actor.got[1].id]);
  });
});
