import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { blueprint } from '../../runtime/blueprint.ts';
import { protocol, tell } from '../../runtime/protocol.ts';
import type { ActorRef } from '../../runtime/ref/actor-ref.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';

const steps = protocol('steps', { first: tell<void>(), second: tell<void>(), third: tell<void>() });
type Method = 'first' | 'second' | 'third';

describe('what an actor is told that does several things at once', () => {
  let system: ActorSystem;
  let actor: ActorRef<typeof steps>;
  let begun: Map<Method, PromiseWithResolvers<void>>;

  beforeEach(async () => {
    begun = new Map();
    const handle = (method: Method) => () => {
      const end = Promise.withResolvers<void>();
      begun.set(method, end);
      return end.promise;
    };
    system = new ActorSystem();
    actor = await system.spawnLocal(
      defineActor({
        blueprint: blueprint(steps, import.meta.url, './none'),
        concurrency: 3,
        setup: () => ({
          handlers: { first: handle('first'), second: handle('second'), third: handle('third') },
        }),
      }),
      undefined,
      { name: 'pool' },
    );
    for (const method of ['first', 'second', 'third'] as const) actor.tell(method, undefined);
    while (begun.size < 3) await turn();
  });
  afterEach(() => system.stop());

  const turn = () => new Promise(setImmediate);
  /** Of the dead letters, whether what is done has failed or the actor has died over it. */
  const letters = () => system.deadLetters.recent.map(({ method, code }) => [method, code]);

  it('is a dead letter under its own name when the actor dies, though what came later has ended', async () => {
    begun.get('second')?.resolve();
    await turn();
    system.crash('pool/0');
    await turn();
    assert.deepEqual(letters(), [
      ['first', 'ACTOR_DIED'],
      ['third', 'ACTOR_DIED'],
    ]);
  });

  it('is one dead letter, under its own name, when it fails before the actor dies', async () => {
    begun.get('third')?.reject(new RangeError('out of my range'));
    await turn();
    system.crash('pool/0');
    await turn();
    assert.deepEqual(letters(), [
      ['third', 'DEFECT'],
      ['first', 'ACTOR_DIED'],
      ['second', 'ACTOR_DIED'],
    ]);
  });
});
