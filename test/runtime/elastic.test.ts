import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { Elastic, type ElasticOptions } from '../../runtime/system/elastic.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

const IDLE = { queueDepth: 0, running: 0, freeSlots: 0, beats: 0, busySince: 0, busyMs: 0, restarts: 0 };
const AT_WORK = { ...IDLE, running: 1 };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A pool of which a test says how busy its members are. */
function pool(options: { readonly fails?: boolean; readonly elastic?: ElasticOptions } = {}) {
  const state = { size: 1, loads: [IDLE], resized: [] as (number | string)[] };
  const elastic = new Elastic(
    {
      get size() {
        return state.size;
      },
      loads: () => state.loads,
      async resize(size) {
        if (options.fails === true) throw new RangeError('cannot start');
        state.size = size;
      },
      onResized: (size, error) => state.resized.push(error?.message ?? size),
    },
    1,
    options.elastic ?? { max: 3, waiting: 4, idleMs: 1_000 },
  );
  const look = async (at: number) => {
    elastic.look(at);
    await turn();
  };
  return { state, look };
}

describe('an elastic pool', () => {
  it('grows, up to its bound, while messages wait at two looks', async () => {
    const { state, look } = pool();
    state.loads = [{ ...AT_WORK, queueDepth: 4 }];
    await look(0);
    assert.equal(state.size, 1);
    await look(250);
    assert.equal(state.size, 2);
    state.loads = [{ ...AT_WORK, queueDepth: 7 }, AT_WORK];
    await look(500);
    await look(750);
    assert.equal(state.size, 2, 'fewer than four for each');
    state.loads = [{ ...AT_WORK, queueDepth: 50 }, AT_WORK];
    for (let at = 1_000; at < 5_000; at += 250) await look(at);
    assert.deepEqual(state.resized, [2, 3]);
  });

  it('grows at eight that wait when that is given as undefined', async () => {
    const elastic = { max: 3, waiting: undefined } as unknown as ElasticOptions; // as a program without types does
    const { state, look } = pool({ elastic });
    state.loads = [{ ...AT_WORK, queueDepth: 8 }];
    await look(0);
    await look(250);
    assert.equal(state.size, 2);
  });

  it('shrinks to what it was when its last member has been idle for a while, and not while that works', async () => {
    const { state, look } = pool();
    state.size = 2;
    state.loads = [IDLE, AT_WORK];
    for (let at = 0; at < 5_000; at += 250) await look(at);
    assert.equal(state.size, 2);
    state.loads = [AT_WORK, IDLE];
    await look(5_000);
    await look(5_750);
    assert.equal(state.size, 2);
    await look(6_000);
    assert.equal(state.size, 1);
    state.loads = [IDLE];
    for (let at = 6_250; at < 9_000; at += 250) await look(at);
    assert.equal(state.size, 1);
  });

  it('waits after a member could not start', async () => {
    const { state, look } = pool({ fails: true });
    state.loads = [{ ...AT_WORK, queueDepth: 4 }];
    for (let at = 0; at <= 1_000; at += 250) await look(at);
    assert.deepEqual(state.resized, ['cannot start']);
    await look(1_250);
    await look(1_500);
    assert.equal(state.resized.length, 2);
  });

  it('of actors gets a member that takes what waits, and loses nothing when it goes', async () => {
    await using system = new ActorSystem();
    const elastic = { max: 2, waiting: 1, idleMs: 0 };
    const probe: ProbeRef = await system.spawn(
      probeActor,
      {},
      { name: 'pool', elastic, mailbox: { messages: 1 } },
    );
    const resized: number[] = [];
    const shrunk = new Promise<void>((resolve) => {
      system.events.on('pool:resized', ({ size }) => {
        resized.push(size);
        if (size === 1) resolve();
      });
    });
    const gate = new Gate();
    const blocked = probe.ask('block', gate.cells);
    await gate.reached();
    const inMailbox = probe.ask('name', undefined);
    const waits = [1, 2, 3].map(() => probe.ask('name', undefined));
    assert.deepEqual(await Promise.all(waits), ['pool/1', 'pool/1', 'pool/1']);
    gate.open();
    await blocked;
    assert.equal(await inMailbox, 'pool/0');
    await shrunk;
    assert.deepEqual(resized, [2, 1]);
    assert.equal(await probe.ask('name', undefined), 'pool/0');
  });

  it('is refused bounds that make no sense', async () => {
    await using system = new ActorSystem();
    for (const elastic of [{ max: 1 }, { max: 3, waiting: 0 }, { max: 3, idleMs: -1 }]) {
      assert.throws(() => system.declare(probeActor, { name: 'pool', size: 2, elastic }), {
        code: 'OPTION_INVALID',
      });
    }
  });
});
