import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { type Blueprint, blueprint } from '../../runtime/blueprint.ts';
import type { DeadLetter } from '../../runtime/dead-letters.ts';
import { ask, protocol, tell } from '../../runtime/protocol.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import probe from './actors/probe-actor.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

const tickingProtocol = protocol('ticking', { begin: ask<void, void>(), tick: tell<void>() });
const ticking: Blueprint<typeof tickingProtocol, void> = blueprint(
  tickingProtocol,
  import.meta.url,
  './self-timers.test',
);

describe('a timer of an actor', () => {
  let system: ActorSystem;
  let local: ProbeRef;

  beforeEach(async () => {
    system = new ActorSystem();
    local = await system.spawnLocal(probe, {}, { name: 'local' });
  });
  afterEach(() => system.stop());

  it('ends as a message to itself', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await local.ask('noteLater', { ms: 50, text: 'due', every: false });
    assert.deepEqual(await local.ask('notes', undefined), []);
    mock.timers.tick(50);
    assert.deepEqual(await local.ask('notes', undefined), ['due']);
  });

  it('waits while a handler is in progress', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await local.ask('noteLater', { ms: 50, text: 'due', every: false });
    const begun = new Gate();
    const abort = new AbortController();
    const hanging = local.ask('hang', begun.cells, { signal: abort.signal }).catch(() => {});
    await begun.reached();
    mock.timers.tick(50);
    abort.abort();
    await hanging;
    assert.deepEqual(await local.ask('notes', undefined), ['hang: ABORTED', 'due']);
  });

  it('does not fire when it was ended before', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await local.ask('noteLater', { ms: 50, text: 'due', every: false });
    await local.ask('endTimer', undefined);
    mock.timers.tick(50);
    assert.deepEqual(await local.ask('notes', undefined), []);
  });

  it('fires again and again, and does not pile up behind a handler', async ({ mock }) => {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    await local.ask('noteLater', { ms: 10, text: 'tick', every: true });
    mock.timers.tick(10);
    assert.deepEqual(await local.ask('notes', undefined), ['tick']);
    const begun = new Gate();
    const abort = new AbortController();
    const hanging = local.ask('hang', begun.cells, { signal: abort.signal }).catch(() => {});
    await begun.reached();
    mock.timers.tick(100);
    abort.abort();
    await hanging;
    assert.deepEqual(await local.ask('notes', undefined), ['tick', 'hang: ABORTED', 'tick']);
  });

  for (const [what, end] of [
    ['is restarted', () => system.restartPool('local')],
    ['crashes', async () => void system.crash('local/0')],
  ] as const) {
    it(`is a dead letter when it waits behind a handler and its actor ${what}`, async ({ mock }) => {
      mock.timers.enable({ apis: ['setTimeout'] });
      await local.ask('noteLater', { ms: 50, text: 'due', every: false });
      const begun = new Gate();
      const hanging = local.ask('hang', begun.cells).catch(() => {});
      await begun.reached();
      mock.timers.tick(50);
      mock.timers.reset();
      await new Promise(setImmediate); // it lies in the mailbox
      await Promise.all([end(), hanging]);
      assert.deepEqual(
        system.deadLetters.recent.map(({ actor, method }) => [actor, method]),
        [['local/0', 'note']],
      );
    });
  }

  it('is a dead letter when its actor has a thread and dies with it', async () => {
    const remote: ProbeRef = await system.spawn(probeActor, {}, { name: 'remote' });
    const letter = new Promise<DeadLetter>((resolve) => system.deadLetters.subscribe(resolve));
    await remote.ask('noteLater', { ms: 1, text: 'due', every: true });
    const begun = new Gate();
    void remote.ask('hang', begun.cells).catch(() => {});
    await begun.reached();
    const waiting = async () => (await system.stats()).get('remote/0')?.mailbox;
    while ((await waiting()) !== 1);
    system.crash('remote/0');
    assert.deepEqual([(await letter).actor, (await letter).method], ['remote/0', 'note']);
  });

  it('is a dead letter when a handler has it and its actor crashes, once', async ({ mock }) => {
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const busy = await system.spawnLocal(
      defineActor({
        blueprint: ticking,
        setup: (_, context) => ({
          handlers: {
            begin: () => void context.after(10, 'tick'),
            tick() {
              begun.resolve();
              return end.promise;
            },
          },
        }),
      }),
      undefined,
      { name: 'busy' },
    );
    mock.timers.enable({ apis: ['setTimeout'] });
    await busy.ask('begin', undefined);
    mock.timers.tick(10);
    mock.timers.reset();
    await begun.promise;
    system.crash('busy/0', 'a drill');
    end.reject(new Error('too late'));
    await new Promise(setImmediate);
    assert.deepEqual(
      system.deadLetters.recent.map(({ method, code, error }) => [method, code, error?.message]),
      [['tick', 'ACTOR_DIED', 'busy/0 died: a drill']],
    );
  });

  it('ends when its actor crashes', async ({ mock }) => {
    await local.ask('noteLater', { ms: 60_000, text: 'tick', every: true });
    const cleared = mock.method(globalThis, 'clearInterval');
    const down = new Promise((resolve) => system.events.once('actor:down', resolve));
    system.crash('local/0');
    await down;
    assert.equal(cleared.mock.callCount(), 1);
  });

  it('does not begin when its actor is told to stop', async ({ mock }) => {
    const begun = Promise.withResolvers<void>();
    const late = await system.spawnLocal(
      defineActor({
        blueprint: ticking,
        setup: (_, context) => ({
          handlers: {
            async begin() {
              begun.resolve();
              await once(context.stopping, 'abort');
              context.every(60_000, 'tick');
            },
            tick() {},
          },
        }),
      }),
      undefined,
      { name: 'late' },
    );
    const asked = late.ask('begin', undefined);
    await begun.promise;
    const cleared = mock.method(globalThis, 'clearInterval');
    await system.stopPool('late');
    await asked;
    assert.equal(cleared.mock.callCount(), 1);
  });

  it('is refused for what is no tell of the protocol, and for what is no time', async () => {
    await assert.rejects(local.ask('badTimer', undefined), { code: 'PROTOCOL_VIOLATION' });
    for (const every of [true, false]) {
      const never = local.ask('noteLater', { ms: Number.NaN, text: 'n', every });
      await assert.rejects(never, { code: 'PROTOCOL_VIOLATION', message: /NaN/ });
    }
  });
});
