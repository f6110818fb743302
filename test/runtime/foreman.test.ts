/** The way of docs/runtime.md in which an actor has others spawned: by one that lives beside the system. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { type Blueprint, blueprint } from '../../runtime/blueprint.ts';
import { ask, protocol } from '../../runtime/protocol.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';

const hiring = protocol('foreman', { hire: ask<string, ProbeRef>() });
const foremanActor: Blueprint<typeof hiring, void> = blueprint(hiring, import.meta.url, './foreman.test');

it('an actor on the system spawns others for those on threads, and they are stopped before those', async () => {
  const system = new ActorSystem();
  const down: string[] = [];
  system.events.on('actor:down', ({ actor }) => down.push(actor));
  const definition = defineActor({
    blueprint: foremanActor,
    concurrency: 8,
    setup: () => ({ handlers: { hire: (name) => system.spawn(probeActor, {}, { name }) } }),
  });
  const foreman = await system.spawnLocal(definition, undefined, { name: 'foreman' });
  const probe: ProbeRef = await system.spawn(probeActor, {}, { name: 'probe' });
  const hired = await foreman.ask('hire', 'hired');
  await probe.ask('keepFriend', hired);
  assert.equal(await probe.ask('askFriend', 'through the ref'), 'through the ref');
  await system.stop();
  assert.deepEqual(down, ['hired/0', 'probe/0', 'foreman/0']);
});
