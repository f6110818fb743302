import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { TroupeError } from '../../../runtime/errors.ts';
import { ModelRooms } from '../../../src/models/model-rooms.ts';
import type { ModelNeeds, ModelSource } from '../../../src/models/model-slot.ts';

const NEVER = new AbortController().signal;
const turn = () => new Promise(setImmediate);

/** What a model would be, with its ways in and out held open by the test, and a diary of what happened. */
function source(name: string, diary: string[], more: Partial<ModelNeeds & { keepAliveMs: number }> = {}) {
  const { memoryBytes = 1, gpu = false, keepAliveMs = Number.POSITIVE_INFINITY } = more;
  const gate = { prepare: Promise.resolve(), load: Promise.resolve(), unload: Promise.resolve() };
  const made: ModelSource<string> & { gate: typeof gate } = {
    ...{ name, keepAliveMs, gate },
    async prepare() {
      await gate.prepare;
      return { memoryBytes, gpu };
    },
    async load() {
      await gate.load;
      diary.push(`+${name}`);
      return `engine of ${name}`;
    },
    async unload() {
      await gate.unload;
      diary.push(`-${name}`);
    },
  };
  return made;
}

function rooms(budget: number, names: readonly string[], more: Parameters<typeof source>[2] = {}) {
  const diary: string[] = [];
  const made = new ModelRooms<string>(budget);
  const sources = names.map((name) => source(name, diary, more));
  for (const each of sources) made.add(each);
  return { rooms: made, diary, sources };
}

describe('ModelRooms', () => {
  it('loads a model once, however many ask for it at once', async () => {
    const { rooms: two, diary } = rooms(1, ['a']);
    const leases = await Promise.all([1, 2, 3].map(() => two.lease('a', NEVER)));
    assert.deepEqual(diary, ['+a']);
    assert.deepEqual(new Set(leases.map(({ engine }) => engine)), new Set(['engine of a']));
  });

  it('keeps as many as the budget has room for', async () => {
    const { rooms: three, diary } = rooms(2, ['a', 'b']);
    for (const name of ['a', 'b', 'a', 'b']) (await three.lease(name, NEVER)).release();
    assert.deepEqual(diary, ['+a', '+b']);
    assert.equal(three.usedBytes, 2);
  });

  it('lets the one leave that was used least recently', async () => {
    const { rooms: three, diary } = rooms(2, ['a', 'b', 'c']);
    for (const name of ['a', 'b', 'a', 'c']) (await three.lease(name, NEVER)).release();
    assert.deepEqual(diary, ['+a', '+b', '-b', '+c']);
  });

  it('lets an idle one leave before a busy one, whichever was used longer ago', async () => {
    const { rooms: three, diary } = rooms(2, ['a', 'b', 'c']);
    await three.lease('a', NEVER);
    (await three.lease('b', NEVER)).release();
    await three.lease('c', NEVER);
    assert.deepEqual(diary, ['+a', '+b', '-b', '+c']);
  });

  it('lets none leave that has requests in flight', async () => {
    const { rooms: two, diary } = rooms(1, ['a', 'b']);
    const held = [await two.lease('a', NEVER), await two.lease('a', NEVER)];
    const waiting = two.lease('b', NEVER);
    for (const lease of held) {
      await turn();
      assert.deepEqual(diary, ['+a']);
      lease.release();
    }
    await waiting;
    assert.deepEqual(diary, ['+a', '-a', '+b']);
  });

  it('keeps no model out because another is always busy', async () => {
    const { rooms: two, diary } = rooms(1, ['a', 'b']);
    const first = await two.lease('a', NEVER);
    const order: string[] = [];
    const ask = async (name: string) => {
      const lease = await two.lease(name, NEVER);
      order.push(name);
      await turn();
      lease.release();
    };
    const begun = ask('b');
    await turn();
    const others = ['a', 'b', 'a'].map(ask);
    await turn();
    first.release();
    await Promise.all([begun, ...others]);
    // All who have gathered for a model are served at its return.
    assert.deepEqual(diary, ['+a', '-a', '+b', '-b', '+a']);
    assert.deepEqual(order, ['b', 'b', 'a', 'a']);
  });

  it('lets a busy model stay when who wanted its room has left', async () => {
    const { rooms: two, diary } = rooms(1, ['a', 'b']);
    await two.lease('a', NEVER);
    const left = new AbortController();
    const waiting = two.lease('b', left.signal);
    await turn();
    const again = two.lease('a', NEVER); // waits for the return of a
    left.abort(new Error('gone'));
    await assert.rejects(waiting, /gone/);
    await again;
    assert.deepEqual(diary, ['+a']);
  });

  it('serves others while one is fetched', async () => {
    const { rooms: two, sources, diary } = rooms(1, ['a', 'b']);
    const fetched = Promise.withResolvers<void>();
    const [, b] = sources;
    assert(b !== undefined);
    b.gate.prepare = fetched.promise;
    const waiting = two.lease('b', NEVER);
    await turn();
    (await two.lease('a', NEVER)).release();
    assert.deepEqual(diary, ['+a']);
    fetched.resolve();
    await waiting;
    assert.deepEqual(diary, ['+a', '-a', '+b']);
  });

  it('loads one at a time', async () => {
    const { rooms: two, sources, diary } = rooms(2, ['a', 'b']);
    const loaded = Promise.withResolvers<void>();
    const [a] = sources;
    assert(a !== undefined);
    a.gate.load = loaded.promise;
    const both = [two.lease('a', NEVER), two.lease('b', NEVER)];
    await turn();
    assert.deepEqual(diary, []);
    loaded.resolve();
    await Promise.all(both);
    assert.deepEqual(diary, ['+a', '+b']);
  });

  it('has one model on the GPU at a time, however much memory there is', async () => {
    const { rooms: two, diary } = rooms(100, ['a', 'b'], { gpu: true });
    for (const name of ['a', 'b']) (await two.lease(name, NEVER)).release();
    assert.deepEqual(diary, ['+a', '-a', '+b']);
  });

  it('loads for who is modest, unless somebody would have to leave', async () => {
    const { rooms: two, diary } = rooms(1, ['a', 'b']);
    (await two.lease('a', NEVER, true)).release();
    await assert.rejects(two.lease('b', NEVER, true), { code: 'MODEL_HAS_NO_ROOM' });
    assert.deepEqual(diary, ['+a']);
    (await two.lease('b', NEVER)).release();
    assert.deepEqual(diary, ['+a', '-a', '+b']);
  });

  it('refuses what the budget can never hold', async () => {
    const { rooms: one } = rooms(1, ['a'], { memoryBytes: 2 });
    await assert.rejects(one.lease('a', NEVER), {
      code: 'MODEL_OVER_BUDGET',
      message: /a needs 2 bytes, of 1/,
    });
  });

  it('tells all who wait that a load failed, and tries again for the next', async () => {
    const { rooms: one, sources } = rooms(1, ['a']);
    const [a] = sources;
    assert(a !== undefined);
    a.gate.load = Promise.reject(new Error('broken'));
    a.gate.load.catch(() => undefined);
    const failed: unknown[] = [];
    one.events.on('failed', ({ error }) => failed.push(error));
    const both = await Promise.allSettled([one.lease('a', NEVER), one.lease('a', NEVER)]);
    assert.deepEqual(
      both.map((outcome) => outcome.status === 'rejected' && outcome.reason.message),
      ['broken', 'broken'],
    );
    assert.equal(failed.length, 1);
    a.gate.load = Promise.resolve();
    assert.equal((await one.lease('a', NEVER)).engine, 'engine of a');
  });

  it('unloads a model that nobody has asked for in its time', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const { rooms: one, diary } = rooms(1, ['a'], { keepAliveMs: 1000 });
      const lease = await one.lease('a', NEVER);
      mock.timers.tick(5000);
      assert.deepEqual(diary, ['+a'], 'not while it is in use');
      lease.release();
      lease.release();
      mock.timers.tick(999);
      (await one.lease('a', NEVER)).release();
      mock.timers.tick(999);
      await turn();
      assert.deepEqual(diary, ['+a']);
      mock.timers.tick(1);
      await turn();
      assert.deepEqual(diary, ['+a', '-a']);
      assert.equal(one.usedBytes, 0);
    } finally {
      mock.timers.reset();
    }
  });

  it('loads it again for who came while it was unloaded', async () => {
    const { rooms: two, sources, diary } = rooms(1, ['a', 'b']);
    const unloaded = Promise.withResolvers<void>();
    const [a] = sources;
    assert(a !== undefined);
    (await two.lease('a', NEVER)).release();
    a.gate.unload = unloaded.promise;
    const forB = two.lease('b', NEVER).then((lease) => lease.release());
    await turn();
    const forA = two.lease('a', NEVER);
    unloaded.resolve();
    await Promise.all([forB, forA]);
    assert.deepEqual(diary, ['+a', '-a', '+b', '-b', '+a']);
  });

  it('closes: unloads what is there, refuses who waits and who comes', async () => {
    const { rooms: two, diary } = rooms(1, ['a', 'b']);
    await two.lease('a', NEVER);
    const waiting = two.lease('b', NEVER);
    await turn();
    const reason = new TroupeError('it is over', { code: 'SERVER_DRAINING' });
    const closing = two.close(reason);
    await assert.rejects(waiting, reason);
    await closing;
    await assert.rejects(two.lease('a', NEVER), reason);
    assert.deepEqual(diary, ['+a', '-a']);
  });

  it('forgets a model that is not in memory, and no other', async () => {
    const { rooms: one } = rooms(1, ['a']);
    (await one.lease('a', NEVER)).release();
    assert.equal(one.remove('a'), false);
    await one.close(new TroupeError('over', { code: 'SERVER_DRAINING' }));
    assert.equal(one.remove('a'), true);
    assert.equal(one.get('a'), undefined);
  });
});
