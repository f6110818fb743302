import assert from 'node:assert/strict';
import { once } from 'node:events';
import process from 'node:process';
import { describe, it } from 'node:test';
import { Events } from '../../../runtime/util/events.ts';

interface Seen {
  happened: [number];
}

describe('events', () => {
  it('reach the other listeners of one that throws, and whoever emits', async () => {
    const events = new Events<Seen>();
    const seen: number[] = [];
    events.on('happened', () => {
      throw new Error('a bug of the user');
    });
    events.on('happened', (n) => seen.push(n));
    const warned = once(process, 'warning');
    assert.equal(events.emit('happened', 7), true);
    assert.deepEqual(seen, [7]);
    const [warning] = await warned;
    assert.equal(warning.code, 'LISTENER_FAILED');
    assert.match(warning.message, /a bug of the user/);
    assert.match(warning.detail, /events\.test/);
  });

  it('report a listener whose promise is rejected', async () => {
    const events = new Events<Seen>();
    const warned = once(process, 'warning');
    events.on('happened', async () => {
      throw new Error('a later bug');
    });
    events.emit('happened', 1);
    assert.match((await warned)[0].message, /a later bug/);
  });

  const hurtful: readonly (readonly [what: string, value: unknown])[] = [
    ['what cannot be made text', Object.create(null)],
    [
      'an error whose stack throws',
      Object.defineProperty(new Error(), 'stack', {
        get() {
          throw new Error('not telling');
        },
      }),
    ],
  ];
  for (const [what, thrown] of hurtful) {
    it(`report a listener that throws ${what}, and go on`, async () => {
      const events = new Events<Seen>();
      events.on('happened', () => {
        throw thrown;
      });
      const warned = once(process, 'warning');
      assert.equal(events.emit('happened', 1), true);
      assert.equal((await warned)[0].code, 'LISTENER_FAILED');
    });

    it(`report a listener whose promise is rejected with ${what}`, async () => {
      const events = new Events<Seen>();
      events.on('happened', () => Promise.reject(thrown));
      const warned = once(process, 'warning');
      events.emit('happened', 1);
      assert.equal((await warned)[0].code, 'LISTENER_FAILED');
    });
  }

  it('can be listened to once, and no more', () => {
    const events = new Events<Seen>();
    const seen: string[] = [];
    const listener = (n: number) => void seen.push(`on ${n}`);
    events.once('happened', (n) => seen.push(`once ${n}`));
    events.on('happened', listener);
    events.emit('happened', 1);
    events.off('happened', listener);
    assert.equal(events.emit('happened', 2), false);
    assert.deepEqual(seen, ['once 1', 'on 1']);
  });
});
