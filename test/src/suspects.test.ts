import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActorError } from '../../runtime/errors.ts';
import { workTag } from '../../runtime/thread/this-thread.ts';
import { Suspects } from '../../src/suspects.ts';

const DIED = new ActorError('an actor died', { code: 'ACTOR_DIED', retrySafe: true });
const never = new AbortController().signal;

describe('requests that were in an actor when it died', () => {
  it('are tried again after one death, and not after a second alone', () => {
    const suspects = new Suspects();
    assert.equal(suspects.verdict('a', 1, false, DIED), undefined);
    assert.equal(suspects.verdict('a', 2, false, DIED), undefined);
    const verdict = suspects.verdict('a', 3, true, DIED);
    assert.equal(verdict?.code, 'REQUEST_CRASHED_ACTOR');
    assert.equal(verdict.cause, DIED);
  });

  it('are not tried again at all when the actor hung over them', () => {
    const suspects = new Suspects();
    suspects.actorHung(workTag('a'));
    suspects.actorHung(0); // nobody knows over whom
    assert.equal(suspects.verdict('b', 1, false, DIED), undefined);
    assert.equal(suspects.verdict('a', 1, false, DIED)?.code, 'REQUEST_CRASHED_ACTOR');
  });

  it('were there at one death, when they were lost in it twice', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const suspects = new Suspects();
    suspects.actorDied('processor/0'); // before they were sent
    const before = suspects.deaths;
    suspects.actorDied('processor/0');
    assert.equal(await suspects.deathsOf(1, before), 1);
    const twice = suspects.deathsOf(2, before);
    t.mock.timers.tick(1_000);
    assert.equal(await twice, 1);
  });

  it('were there at two deaths, also when the second is heard of later', async () => {
    const suspects = new Suspects();
    suspects.actorDied('processor/0');
    const deaths = suspects.deathsOf(2, 0);
    suspects.actorDied('processor/0');
    assert.equal(await deaths, 2);
  });

  it('are why those deaths do not count against the actor', () => {
    const forgiven: string[] = [];
    const suspects = new Suspects((actor) => forgiven.push(actor));
    suspects.actorDied('processor/0');
    suspects.verdict('a', 1, false, DIED);
    assert.deepEqual(forgiven, []);
    suspects.actorDied('processor/1');
    suspects.verdict('a', 2, true, DIED);
    assert.deepEqual(forgiven, ['processor/0', 'processor/1']);
    suspects.actorDied('pd/0');
    suspects.actorHung(workTag('b'));
    suspects.verdict('b', 1, false, DIED);
    assert.deepEqual(forgiven, ['processor/0', 'processor/1', 'pd/0']);
  });

  it('do not excuse a thread that is left behind', () => {
    const forgiven: string[] = [];
    const suspects = new Suspects((actor) => forgiven.push(actor));
    suspects.actorLeft('pd/0');
    suspects.actorDied('pd/0');
    suspects.actorDied('pd/0');
    suspects.verdict('a', 2, true, DIED);
    assert.deepEqual(forgiven, ['pd/0']);
  });

  it('are no excuse for an actor over which nobody gets an answer', () => {
    let forgiven = 0;
    const suspects = new Suspects(() => {
      forgiven += 1;
    });
    const blame = () => {
      suspects.actorDied('pd/0');
      suspects.actorDied('pd/0');
      suspects.verdict('a', 2, true, DIED);
    };
    for (let i = 0; i < 20; i++) blame();
    assert.equal(forgiven, 20);
    suspects.answered();
    blame();
    assert.equal(forgiven, 22);
  });

  it('are tried alone after two deaths, at the last try, and when a thread was left behind', async () => {
    const suspects = new Suspects();
    suspects.actorLeft('pd/0');
    suspects.actorDied('pd/0');
    for (const suspect of [
      { deaths: 2, before: 1, isLast: false },
      { deaths: 1, before: 1, isLast: true },
      { deaths: 1, before: 0, isLast: false },
    ]) {
      // Alone from the beginning, or else the second would be let in beside it.
      (await suspects.turn(never, { deaths: 1, before: 1, isLast: false })).leave();
      const turn = await suspects.turn(never, suspect);
      const next = suspects.turn(never, { deaths: 1, before: 1, isLast: false });
      await new Promise(setImmediate);
      assert.equal(turn.alone, true);
      turn.leave();
      (await next).leave();
    }
  });
});
