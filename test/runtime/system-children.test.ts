/** Whoever spawns for actors, when it cannot start itself. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoadBoard } from '../../runtime/board/load-board.ts';
import { DeadLetters } from '../../runtime/dead-letters.ts';
import { createRefEnvironment } from '../../runtime/ref/environment.ts';
import { lazily } from '../../runtime/ref/own-ref.ts';
import { Children } from '../../runtime/system/children.ts';
import type { ChildrenRef, SpawnRequest } from '../../runtime/system/children-protocol.ts';

const REQUEST: SpawnRequest = {
  parent: { name: 'parent/0', holder: 1 },
  module: 'helper.js',
  args: { all: undefined },
  options: { name: 'helper' },
};

describe('the actor that spawns for others', () => {
  it('tells who asks that it is not there when it cannot start, and is made anew for those that come later', async () => {
    let tries = 0;
    const children = new Children({
      isAlive: () => true,
      spawn: () => assert.fail('nobody is there to ask for it'),
      stopPool: () => assert.fail('no pool was spawned'),
      incarnate: () => {
        tries += 1;
        throw new Error('there are as many actors as there may be');
      },
    });
    const environment = createRefEnvironment(LoadBoard.create(1), new DeadLetters());
    for (const expected of [1, 2]) {
      const ref = lazily<ChildrenRef>(() => children.door('local'), environment)();
      await assert.rejects(ref.ask('spawn', REQUEST), { code: 'ACTOR_STOPPED' });
      assert.equal(tries, expected);
    }
  });
});
