/** What programs without types hand in: refused with the name of the field, before anything has happened. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ActorDefinition } from '../../runtime/actor/behaviour.ts';
import type { CallOptions } from '../../runtime/ref/call-options.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import type { SpawnOptions } from '../../runtime/system/system-options.ts';
import probe from './actors/probe-actor.ts';
import { type ProbeRef, probeActor, type probeProtocol } from './actors/probe-protocol.ts';

const invalid = (field: string) => (error: unknown) => {
  const { code, details } = Object(error);
  assert.deepEqual([code, details?.field], ['OPTION_INVALID', field], String(error));
  return true;
};
const never = (value: unknown) => value as never;

describe('options that make no sense', () => {
  const system = new ActorSystem();
  let ref: ProbeRef;
  before(async () => {
    ref = await system.spawnLocal(probe, {}, { name: 'probe' });
  });
  after(() => system.stop());

  const SYSTEM: readonly (readonly [field: string, options: unknown])[] = [
    ['options', null],
    ['options', 3],
    ['options', []],
    ['stopGraceMs', { stopGraceMs: Number.NaN }],
    ['stopGraceMs', { stopGraceMs: -1 }],
    ['watchdog', { watchdog: null }],
    ['watchdog.turnMs', { watchdog: { turnMs: 0 } }],
    ['watchdog.nativeMs', { watchdog: { nativeMs: '5' } }],
    ['arenas', { arenas: null }],
    ['arenas.a', { arenas: { a: Number.NaN } }],
    ['budgets.b', { budgets: { b: 0.5 } }],
    ['caches.c', { caches: { c: null } }],
    ['caches.c.arena', { caches: { c: { bytes: 1 } } }],
    ['caches.c.bytes', { arenas: { a: 65_536 }, caches: { c: { arena: 'a', bytes: Number.NaN } } }],
  ];
  it('are refused for a system', () => {
    for (const [field, options] of SYSTEM)
      assert.throws(() => new ActorSystem(never(options)), invalid(field));
  });

  const POOL: readonly (readonly [field: string, options: unknown])[] = [
    ['options', null],
    ['options', undefined],
    ['options', 3],
    ['name', { name: null }],
    ['size', { name: 'x', size: 1e9 }],
    ['mailbox', { name: 'x', mailbox: null }],
    ['elastic', { name: 'x', elastic: null }],
    ['elastic.max', { name: 'x', elastic: { max: Number.NaN } }],
    ['elastic.max', { name: 'x', elastic: { max: 5_000 } }],
    ['elastic.idleMs', { name: 'x', elastic: { max: 2, idleMs: Number.NaN } }],
    ['restart', { name: 'x', restart: null }],
    ['restart.maxRestarts', { name: 'x', restart: { maxRestarts: Number.NaN } }],
    ['restart.minBackoffMs', { name: 'x', restart: { minBackoffMs: -1 } }],
    ['thread', { name: 'x', thread: null }],
    [
      'thread.resourceLimits.maxOldGenerationSizeMb',
      { name: 'x', thread: { resourceLimits: { maxOldGenerationSizeMb: Number.NaN } } },
    ],
    ['thread.env.DEPTH', { name: 'x', thread: { env: { DEPTH: 3 } } }],
  ];
  it('are refused for a pool', async () => {
    for (const [field, options] of POOL) {
      const given = never(options) as SpawnOptions;
      await assert.rejects(system.spawn(probeActor, {}, given), invalid(field));
      await assert.rejects(system.spawnLocal(probe, {}, given), invalid(field));
    }
    assert.equal(system.status().length, 1);
  });

  it('are refused for an actor: no blueprint, no definition, no number of handlers', async () => {
    for (const nothing of [null, undefined, {}, 3]) {
      await assert.rejects(system.spawn(never(nothing), {}, { name: 'x' }), invalid('blueprint'));
      await assert.rejects(system.spawnLocal(never(nothing), {}, { name: 'x' }), invalid('actor'));
    }
    for (const concurrency of [Number.NaN, 0, 1.5, '3']) {
      const definition: ActorDefinition<typeof probeProtocol, object> = {
        ...probe,
        concurrency: never(concurrency),
      };
      await assert.rejects(system.spawnLocal(definition, {}, { name: 'x' }), invalid('concurrency'));
    }
    assert.equal(system.status().length, 1);
  });

  const CALL: readonly (readonly [field: keyof CallOptions, value: unknown])[] = [
    ['deadlineMs', Number.NaN],
    ['deadlineMs', '5'],
    ['signal', 3],
    ['signal', null],
    ['transfer', 3],
    ['routeKey', 3],
    ['prefer', 3],
    ['member', 3],
    ['priority', 'urgent'],
    ...(['deadlineMs', 'routeKey', 'prefer', 'member', 'priority'] as const).map(
      (field) => [field, Object.create(null)] as const,
    ),
  ];
  it('are refused for a call, and make a dead letter of a tell', async () => {
    for (const [field, value] of CALL) {
      const options: CallOptions = { [field]: value };
      await assert.rejects(ref.ask('echo', 1, options), invalid(field));
      await assert.rejects(ref.send('note', 'n', options), invalid(field));
      assert.throws(() => ref.stream('count', 1, options), invalid(field));
      assert.equal(ref.tell('note', 'n', options), 'refused');
      assert.equal(system.deadLetters.recent.at(-1)?.code, 'PROTOCOL_VIOLATION');
    }
    for (const method of [Symbol('echo'), undefined, Object.create(null)]) {
      await assert.rejects(ref.ask(never(method), 1), invalid('method'));
      assert.equal(ref.tell(never(method), 'n'), 'refused');
    }
    assert.deepEqual(await ref.ask('notes', undefined), []);
  });

  const FIELDS = [
    'deadlineMs',
    'signal',
    'transfer',
    'routeKey',
    'prefer',
    'member',
    'priority',
    'traceparent',
  ] as const satisfies readonly (keyof CallOptions)[];
  it('are refused for a call when they cannot be read, and make a dead letter of a tell', async () => {
    for (const field of FIELDS) {
      const options: CallOptions = {
        get [field](): never {
          throw Object.create(null);
        },
      };
      await assert.rejects(ref.ask('echo', 1, options), invalid(field));
      await assert.rejects(ref.askEach('echo', 1, options), invalid(field));
      await assert.rejects(ref.send('note', 'n', options), invalid(field));
      assert.throws(() => ref.stream('count', 1, options), invalid(field));
      assert.equal(ref.tell('note', 'n', options), 'refused');
      assert.equal(system.deadLetters.recent.at(-1)?.code, 'PROTOCOL_VIOLATION');
    }
    assert.deepEqual(await ref.ask('notes', undefined), []);
  });

  it('are refused for a call when a part of them cannot be read', async () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    const signal = Object.defineProperty(new EventTarget(), 'aborted', {
      get() {
        throw new Error('not telling');
      },
    });
    for (const options of [{ transfer: proxy }, { signal: never(signal) as AbortSignal }]) {
      await assert.rejects(ref.ask('echo', 1, options), invalid(Object.keys(options)[0] ?? ''));
      assert.equal(ref.tell('note', 'n', options), 'refused');
    }
  });

  it('are read once, so that what is used is what was checked', async () => {
    let reads = 0;
    const options: CallOptions = {
      get member() {
        reads += 1;
        return reads === 1 ? 'probe/0' : never(Object.create(null));
      },
    };
    assert.equal(await ref.ask('echo', 'once', options), 'once');
    assert.equal(reads, 1);
  });

  it('are refused for a stream, also where they cannot be compared', () => {
    for (const field of ['window', 'windowBytes'] as const)
      for (const value of [Object.create(null), Symbol('much'), Number.NaN, 0])
        assert.throws(() => ref.stream('count', 1, { [field]: value }), invalid(field));
  });
});
