import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FairQueue, type Place } from '../../../src/server/fair-queue.ts';

const never = new AbortController().signal;

/** Enters and notes who got a place, in order. */
function entering(queue: FairQueue, order: string[]) {
  return (client: string, name: string, signal: AbortSignal = never): Promise<Place> => {
    const place = queue.enter(client, signal);
    place.then(
      () => order.push(name),
      () => order.push(`${name} refused`),
    );
    return place;
  };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a fair queue', () => {
  it('lets in as many as it has places, then the next as one leaves', async () => {
    const queue = new FairQueue({ places: 2, waiting: 5 });
    const order: string[] = [];
    const enter = entering(queue, order);
    const first = await enter('a', 'a1');
    await enter('a', 'a2');
    const third = enter('a', 'a3');
    await settled();
    assert.deepEqual(order, ['a1', 'a2']);
    assert.deepEqual([queue.used, queue.waiting], [2, 1]);
    first.release();
    first.release(); // a second time does nothing
    await third;
    assert.deepEqual([queue.used, queue.waiting], [2, 0]);
  });

  it('gives clients turns, and to each of them in order', async () => {
    const queue = new FairQueue({ places: 1, waiting: 10 });
    const order: string[] = [];
    const enter = entering(queue, order);
    const places = [enter('a', 'a0'), enter('a', 'a1'), enter('a', 'a2'), enter('a', 'a3'), enter('b', 'b1')];
    places.push(enter('c', 'c1'), enter('b', 'b2'));
    for (const place of [0, 1, 4, 5, 2, 6, 3]) (await places[place])?.release();
    assert.deepEqual(order, ['a0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    assert.deepEqual([queue.used, queue.waiting], [0, 0]);
  });

  it('gives a place to the client that has fewest, whoever came first', async () => {
    const queue = new FairQueue({ places: 4, waiting: 10 });
    const order: string[] = [];
    const enter = entering(queue, order);
    const running = await Promise.all(['a1', 'a2', 'a3', 'a4'].map((name) => enter('a', name)));
    for (const name of ['a5', 'b1', 'b2', 'b3']) enter(name.slice(0, 1), name);
    // Twice b has fewer than a, then a has fewer than b.
    for (const place of running.slice(0, 3)) {
      place.release();
      await settled();
    }
    assert.deepEqual(order.slice(4), ['b1', 'b2', 'a5']);
  });

  it('keeps an eighth of its places for clients that have none', async () => {
    const queue = new FairQueue({ places: 8, waiting: 2 });
    const order: string[] = [];
    const enter = entering(queue, order);
    const places = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((n) => enter('a', `a${n}`)));
    enter('a', 'a8');
    await settled();
    assert.deepEqual([queue.used, queue.waiting], [7, 1]);
    const place = await enter('b', 'b1');
    assert.equal(queue.used, 8);
    place.release(); // to nobody who has a place
    await settled();
    assert.deepEqual([queue.used, queue.waiting], [7, 1]);
    places[0]?.release();
    await settled();
    assert.deepEqual(order.slice(7), ['b1', 'a8']);
  });

  it('refuses what it has no room for', async () => {
    const queue = new FairQueue({ places: 1, waiting: 1 });
    await queue.enter('a', never);
    const waits = queue.enter('a', never);
    assert.equal(queue.isFullFor('a'), true);
    await assert.rejects(queue.enter('a', never), { code: 'QUEUE_FULL', retrySafe: true });
    queue.refuseAll(new Error('drained'));
    await assert.rejects(waits, /drained/);
  });

  it('makes room for another client by refusing the newest of the longest line', async () => {
    const queue = new FairQueue({ places: 1, waiting: 3 });
    const order: string[] = [];
    const enter = entering(queue, order);
    await enter('a', 'a0');
    for (const name of ['a1', 'a2', 'a3']) enter('a', name).catch(() => undefined);
    assert.equal(queue.isFullFor('b'), false);
    enter('b', 'b1').catch(() => undefined);
    await settled();
    assert.deepEqual(order, ['a0', 'a3 refused']);
    assert.equal(queue.waiting, 3);
  });

  it('forgets who stops waiting', async () => {
    const queue = new FairQueue({ places: 1, waiting: 2 });
    const place = await queue.enter('a', never);
    const leaving = new AbortController();
    const left = queue.enter('b', leaving.signal);
    const stays = queue.enter('c', never);
    leaving.abort(new Error('gone'));
    await assert.rejects(left, /gone/);
    assert.equal(queue.waiting, 1);
    place.release();
    (await stays).release();
    assert.equal(queue.used, 0);
  });

  it('lets nobody in whose signal has aborted', async () => {
    const queue = new FairQueue({ places: 1, waiting: 1 });
    await assert.rejects(queue.enter('a', AbortSignal.abort(new Error('gone'))), /gone/);
    assert.equal(queue.used, 0);
  });
});
