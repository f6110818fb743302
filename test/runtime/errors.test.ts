import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { diedError } from '../../runtime/errors.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import probe from './actors/probe-actor.ts';
import { probeActor } from './actors/probe-protocol.ts';

describe('what an actor died of', () => {
  const system = new ActorSystem();
  after(() => system.stop());

  it('is said whatever was thrown', () => {
    assert.equal(diedError('a/0', new RangeError('too deep')).message, 'a/0 died: too deep');
    assert.equal(diedError('a/0', 'no error').message, 'a/0 died: no error');
    assert.equal(diedError('a/0').message, 'a/0 died');
  });

  for (const where of ['thread', 'local'] as const)
    it(`is said in the same words of one that lives there: ${where}`, async () => {
      if (where === 'thread') await system.spawn(probeActor, {}, { name: where });
      else await system.spawnLocal(probe, {}, { name: where });
      const down = new Promise<Error | undefined>((resolve) =>
        system.events.once('actor:down', ({ error }) => resolve(error)),
      );
      system.crash(`${where}/0`, 'a drill');
      assert.equal((await down)?.message, `${where}/0 died: a drill`);
    });
});
