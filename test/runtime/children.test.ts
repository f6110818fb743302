/** Actors that spawn others. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import probeDefinition from './actors/probe-actor.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

describe('an actor that spawns others', () => {
  let system: ActorSystem;
  let parent: ProbeRef;
  let down: string[];
  beforeEach(async () => {
    system = new ActorSystem({ stopGraceMs: 2_000 });
    down = [];
    system.events.on('actor:down', ({ actor }) => down.push(actor));
    parent = await system.spawn(probeActor, {}, { name: 'parent' });
  });
  afterEach(() => system.stop());
  const names = () => system.status().map(({ name }) => name);
  const seen = (event: 'actor:up' | 'actor:down', actor: string) =>
    new Promise<void>((resolve) => {
      system.events.on(event, (one) => {
        if (one.actor === actor) resolve();
      });
    });

  it('gets a ref to them, whose members have its name and theirs, and each its own arguments', async () => {
    const helpers = await parent.ask('hire', { name: 'helper', size: 2 });
    assert.equal(helpers.name, 'parent/0/helper');
    assert.deepEqual(names(), ['parent/0', 'parent/0/helper/0', 'parent/0/helper/1']);
    const labels = names()
      .slice(1)
      .map((member) => helpers.ask('inherited', undefined, { member }));
    assert.deepEqual(await Promise.all(labels), ['0', '1']);
    await assert.rejects(system.resizePool('parent/0/helper', 3), { code: 'OPTION_INVALID' });
    assert.equal(names().length, 3);
  });

  it('has them restarted by the system when they crash', async () => {
    const helper = await parent.ask('hire', { name: 'helper' });
    await assert.rejects(helper.ask('crash', undefined), { code: 'ACTOR_DIED' });
    assert.equal(await helper.ask('echo', 'again'), 'again');
    assert.equal(system.status().at(-1)?.restarts, 1);
  });

  it('has them stopped when it is stopped, and theirs, before `stopPool` is done', async () => {
    const helper = await parent.ask('hire', { name: 'helper' });
    const grandchild = await helper.ask('hire', { name: 'own' });
    await system.stopPool('parent');
    assert.deepEqual(down, ['parent/0', 'parent/0/helper/0', 'parent/0/helper/0/own/0']);
    assert.deepEqual(names(), []);
    await assert.rejects(grandchild.ask('echo', 1), { code: 'ACTOR_STOPPED' });
  });

  it('may be left at its restart, and its next incarnation spawns the same', async (context) => {
    const impatient = new ActorSystem({ stopGraceMs: 1 });
    context.after(() => impatient.stop());
    const local = await impatient.spawnLocal(probeDefinition, { hires: 'helper' }, { name: 'local' });
    const begun = new Gate();
    local.tell('hangTold', begun.cells);
    await begun.reached();
    await impatient.restartPool('local');
    assert.equal(await local.ask('askFriend', 'there'), 'there');
  });

  it('has them stopped before itself when the system is', async () => {
    await parent.ask('hire', { name: 'helper' });
    await system.stop();
    assert.deepEqual(down, ['parent/0/helper/0', 'parent/0']);
  });

  it('has them stopped when it crashes, and its next incarnation spawns them again', async () => {
    const boss = await system.spawn(probeActor, { hires: 'helper' }, { name: 'boss' });
    const first = await boss.ask('askFriend', 1);
    const ended = seen('actor:down', 'boss/0/helper/0');
    await assert.rejects(boss.ask('crash', undefined), { code: 'ACTOR_DIED' });
    assert.deepEqual([first, await boss.ask('askFriend', 2)], [1, 2]);
    await ended;
    assert.deepEqual(names(), ['parent/0', 'boss/0', 'boss/0/helper/0']);
  });

  it('stops one that it does not need any more, whose name is free then', async () => {
    await parent.ask('hire', { name: 'helper' });
    await parent.ask('dismiss', 'helper');
    assert.deepEqual(names(), ['parent/0']);
    const next = await parent.ask('hire', { name: 'helper' });
    assert.equal(await next.ask('echo', 1), 1);
  });

  it('may live on the thread of the system', async () => {
    const local = await system.spawnLocal(probeDefinition, {}, { name: 'local' });
    const helper = await local.ask('hire', { name: 'helper' });
    assert.equal(await helper.ask('echo', 1), 1);
    await system.stopPool('local');
    assert.deepEqual(names(), ['parent/0']);
  });

  it('hears why one could not be spawned, and nothing is left of it', async () => {
    const failStarts = { cell: new Int32Array(new SharedArrayBuffer(4)), from: 0 };
    await assert.rejects(parent.ask('hire', { name: 'helper', args: { failStarts } }), {
      code: 'PROBE_START',
    });
    assert.deepEqual(names(), ['parent/0']);
    await parent.ask('hire', { name: 'helper' });
    await assert.rejects(parent.ask('hire', { name: 'helper' }), { code: 'NAME_TAKEN' });
    for (const bad of [{ name: '' }, { name: 'x', size: 0 }, { name: 'x', size: 1e9 }, { name: 3 as never }])
      await assert.rejects(parent.ask('hire', bad), { code: 'OPTION_INVALID' });
    await assert.rejects(parent.ask('dismiss', 'nobody'), { code: 'POOL_UNKNOWN' });
    assert.deepEqual(names(), ['parent/0', 'parent/0/helper/0']);
    await system.stopPool('parent');
    assert.deepEqual(names(), []);
  });

  it('is stopped while one starts, which is ended, too', async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const hired = parent.ask('hire', { name: 'slow', args: { spinStarts: { cell, from: 0 } } });
    const refused = assert.rejects(hired, { code: 'ACTOR_STOPPED' });
    await Atomics.waitAsync(cell, 0, 0).value;
    const { quarantined } = await system.stopPool('parent');
    await refused;
    assert.deepEqual(quarantined, ['parent/0/slow/0']);
    assert.deepEqual(names(), []);
  });
});
