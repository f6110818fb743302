import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AdmissionPermits } from '../../../../actors/pd/requests/admission-permits.ts';

function record(
  places: AdmissionPermits,
  name: string,
  woken: string[],
  signal?: AbortSignal,
): Promise<void> {
  return places.next(1, signal).then(() => {
    woken.push(name);
  });
}

describe('callers who wait for a place', () => {
  it('get one each, in order, as places become free', async () => {
    let free = 1;
    const places = new AdmissionPermits(() => free);
    const woken: string[] = [];
    const take = (name: string) =>
      record(places, name, woken).then(() => {
        free -= 1;
        places.taken(1);
      });
    const all = ['a', 'b', 'c'].map(take);
    await nextTurn();
    assert.deepEqual(woken, ['a']);
    free = 2;
    places.freed();
    await Promise.all(all);
    assert.deepEqual(woken, ['a', 'b', 'c']);
  });

  it('a place promised to one is not promised to another in the same turn', async () => {
    const places = new AdmissionPermits(() => 1);
    const woken: string[] = [];
    const waiting = new AbortController();
    void record(places, 'first', woken);
    const second = record(places, 'second', woken, waiting.signal);
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual(woken, ['first']);
    waiting.abort(new Error('enough'));
    await assert.rejects(second, /enough/);
  });

  it('a caller who does not come loses its place to the next', async () => {
    const places = new AdmissionPermits(() => 1);
    const woken: string[] = [];
    await Promise.all(['absent', 'next'].map((name) => record(places, name, woken)));
    assert.deepEqual(woken, ['absent', 'next']);
  });

  it('a caller who was aborted is passed over, and told its own reason', async () => {
    let free = 0;
    const places = new AdmissionPermits(() => free);
    const woken: string[] = [];
    const leaving = new AbortController();
    const first = record(places, 'leaving', woken, leaving.signal);
    const second = record(places, 'staying', woken);
    leaving.abort(new Error('changed my mind'));
    await assert.rejects(first, /changed my mind/);
    free = 1;
    places.freed();
    await second;
    assert.deepEqual(woken, ['staying']);
  });

  it('a caller who needs several is served before those behind it, once all of them are free', async () => {
    let free = 1;
    const places = new AdmissionPermits(() => free);
    const woken: string[] = [];
    const three = places.next(3).then(() => woken.push('three'));
    const one = record(places, 'one', woken);
    await nextTurn();
    assert.deepEqual(woken, []);
    free = 4;
    places.freed();
    await Promise.all([three, one]);
    assert.deepEqual(woken, ['three', 'one']);
  });

  it('those behind a caller who needs several and is aborted are served', async () => {
    const places = new AdmissionPermits(() => 1);
    const woken: string[] = [];
    const leaving = new AbortController();
    const three = places.next(3, leaving.signal);
    const one = record(places, 'one', woken);
    leaving.abort(new Error('enough'));
    await assert.rejects(three, /enough/);
    await one;
    assert.deepEqual(woken, ['one']);
  });
});
