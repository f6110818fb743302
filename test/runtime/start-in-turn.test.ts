import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { StartInTurn } from '../../runtime/system/start-in-turn.ts';
import { recordThreads } from '../support/thread-record.ts';
import { probeActor } from './actors/probe-protocol.ts';

function pool(name: string) {
  const begun = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  return {
    name,
    isOver: false,
    begun: begun.promise,
    started: started.promise,
    begin: begun.resolve,
    up: started.resolve,
  };
}

/** What was promised has been heard of. */
const heard = () => new Promise((resolve) => setImmediate(resolve));

describe('pools that start together', () => {
  it('begin when the threads of the one before run, and not only when it is up', async () => {
    const [first, second, third] = [pool('first'), pool('second'), pool('third')];
    const inTurn = new StartInTurn();
    const begun: string[] = [];
    const starts = [first, second, third].map((one) =>
      inTurn.run(one, () => {
        begun.push(one.name);
        return one.started;
      }),
    );
    await heard();
    assert.deepEqual(begun, ['first']);
    first.begin();
    await heard();
    assert.deepEqual(begun, ['first', 'second']);
    second.begin();
    await heard();
    assert.deepEqual(begun, ['first', 'second', 'third']);
    for (const { up } of [first, second, third]) up();
    await Promise.all(starts);
  });

  it('begin also after one that cannot', async () => {
    const inTurn = new StartInTurn();
    const cannot = inTurn.run(pool('cannot'), async () => {
      throw new Error('no more threads');
    });
    const next = inTurn.run(pool('next'), async () => {});
    await assert.rejects(cannot, /no more threads/);
    await next;
  });

  it('do not begin when they were stopped before their turn', async () => {
    const inTurn = new StartInTurn();
    const [first, second] = [pool('first'), pool('second')];
    const up = inTurn.run(first, () => first.started);
    const stopped = inTurn.run(second, () => assert.fail('it began'));
    second.isOver = true;
    first.up();
    await up;
    await assert.rejects(stopped, { code: 'ACTOR_STOPPED', message: /second/ });
  });

  it('have threads that end in the reverse order of their beginnings', async () => {
    const record = recordThreads();
    const system = new ActorSystem();
    const names = ['a', 'b', 'c'];
    const pools = names.map((name) => system.declare(probeActor, { name }));
    await Promise.all(pools.map(({ start }) => start({})));
    await system.stop();
    assert.deepEqual(record.end(), [
      ['makes', 1],
      ['runs', 1],
      ['makes', 2],
      ['runs', 2],
      ['makes', 3],
      ['runs', 3],
      ['ended', 3],
      ['ended', 2],
      ['ended', 1],
    ]);
  });

  it('have a first member whose thread begins before the others of its pool, and ends after them', async () => {
    const record = recordThreads();
    const system = new ActorSystem();
    const pools = ['a', 'b'].map((name) => system.declare(probeActor, { name, size: 3 }));
    await Promise.all(pools.map(({ start }) => start({})));
    await system.stop();
    const events = record.end();
    const at = (event: string, thread: number) =>
      events.findIndex(([what, who]) => what === event && who === thread);
    for (const [first, others] of [
      [1, [2, 3]],
      [4, [5, 6]],
    ] as const) {
      for (const other of others) {
        assert(at('runs', first) < at('makes', other), JSON.stringify(events));
        assert(at('ended', other) < at('ended', first), JSON.stringify(events));
      }
    }
  });

  it('begin no more members when they are stopped before the first one runs', async () => {
    const record = recordThreads();
    const system = new ActorSystem();
    const { start } = system.declare(probeActor, { name: 'a', size: 3 });
    const started = assert.rejects(start({}), { code: 'ACTOR_STOPPED' });
    await system.stop();
    await started;
    assert.deepEqual(
      record.end().filter(([event]) => event === 'makes'),
      [['makes', 1]],
    );
  });
});
