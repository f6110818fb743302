import assert from 'node:assert/strict';
import { once } from 'node:events';
import process from 'node:process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DeadLetter } from '../../runtime/dead-letters.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

const ROOM = 4;
const uncloneable = (() => {}) as unknown as string;
const NO_DEADLINE = { deadlineMs: 2 ** 31 };

describe('a message that nobody answers', () => {
  let system: ActorSystem;
  let probe: ProbeRef;
  let gate: Gate;
  let blocked: Promise<void>;
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);

  /** The actor sits in a handler until the gate opens; its mailbox has room for four. */
  beforeEach(async () => {
    unhandled.length = 0;
    process.on('unhandledRejection', onUnhandled);
    system = new ActorSystem();
    probe = await system.spawn(
      probeActor,
      {},
      { name: 'probe', mailbox: { messages: ROOM }, outbox: 2, restart: { minBackoffMs: 1 } },
    );
    gate = new Gate();
    blocked = probe.ask('block', gate.cells, NO_DEADLINE);
    await gate.reached();
  });
  afterEach(async () => {
    gate.open();
    await system.stop();
    process.off('unhandledRejection', onUnhandled);
    assert.deepEqual(unhandled, []);
  });

  const lastLetter = (): DeadLetter | undefined => system.deadLetters.recent.at(-1);
  const nextLetter = (): Promise<DeadLetter> =>
    new Promise((resolve) => {
      const end = system.deadLetters.subscribe((letter) => {
        end();
        resolve(letter);
      });
    });
  function fill(): void {
    for (let i = 0; i < ROOM; i++) assert.equal(probe.tell('note', `filler ${i}`), 'sent');
  }
  async function notes(): Promise<readonly string[]> {
    gate.open();
    await blocked;
    const all = await probe.ask('notes', undefined);
    return all.filter((note) => !note.startsWith('filler'));
  }

  describe('told', () => {
    it('is refused, and does not throw, when it cannot be cloned', () => {
      assert.equal(probe.tell('note', uncloneable), 'refused');
    });

    it('is sent, without its trace, when that is no text', () => {
      for (const trace of [Symbol('t'), Object.create(null)])
        assert.equal(probe.tell('note', 'traced', { traceparent: trace as string }), 'sent');
    });

    it('is refused, and leaves a dead letter, when reading it throws what cannot be made text', async () => {
      const letter = nextLetter();
      const payload = {
        get field() {
          throw Object.create(null);
        },
      };
      assert.equal(probe.tell('note', payload as unknown as string), 'refused');
      assert.equal((await letter).code, 'PROTOCOL_VIOLATION');
    });

    it('leaves a dead letter with the reason when it cannot be cloned', async () => {
      const letter = nextLetter();
      probe.tell('note', uncloneable);
      const { code, error } = await letter;
      assert.equal(code, 'PROTOCOL_VIOLATION');
      assert.match(error?.message ?? '', /could not be cloned/);
    });

    it('is refused and not delivered when its signal is aborted already', async () => {
      assert.equal(probe.tell('note', 'late', { signal: AbortSignal.abort() }), 'refused');
      assert.equal(lastLetter()?.code, 'ABORTED');
      assert.deepEqual(await notes(), []);
    });

    it('is refused when there is no such member', () => {
      assert.equal(probe.tell('note', 'who?', { member: 'probe/7' }), 'refused');
      assert.equal(lastLetter()?.code, 'PROTOCOL_VIOLATION');
    });

    it('is full, and has nothing to time out or abort, when there is no room', async ({ mock }) => {
      mock.timers.enable({ apis: ['setTimeout'] });
      fill();
      const abort = new AbortController();
      assert.equal(probe.tell('note', 'no', { signal: abort.signal, deadlineMs: 1 }), 'full');
      abort.abort();
      mock.timers.tick(10);
      assert.deepEqual(await notes(), []);
    });

    it('is sent though its prefer throws', async () => {
      const warned = once(process, 'warning');
      const pool = await system.spawn(probeActor, {}, { name: 'pool', size: 2 });
      const prefer = () => {
        throw new Error('a bug of the user');
      };
      assert.equal(pool.tell('note', 'sent', { prefer }), 'sent');
      assert.equal((await warned)[0].code, 'PREFER_FAILED');
    });

    it('leaves what its handler threw, with the stack', async () => {
      gate.open();
      await blocked;
      const letter = nextLetter();
      probe.tell('failTold', 'the reason');
      const { actor, code, error } = await letter;
      assert.deepEqual(
        [actor, code, error?.name, error?.message],
        ['probe/0', 'DEFECT', 'RangeError', 'the reason'],
      );
      assert.match(error?.stack ?? '', /probe-actor/);
    });

    it('leaves a letter when its actor died while it was under way', async () => {
      gate.open();
      await blocked;
      const begun = new Gate();
      probe.tell('hangTold', begun.cells);
      await begun.reached();
      const letter = nextLetter();
      system.crash('probe/0', 'a drill');
      const { code, method, error } = await letter;
      assert.deepEqual([code, method], ['ACTOR_DIED', 'hangTold']);
      assert.equal(error?.message, 'probe/0 died: a drill, before it answered hangTold');
    });

    it('leaves no letter when it was done before its actor died', async () => {
      gate.open();
      await blocked;
      probe.tell('note', 'done');
      await probe.ask('echo', 1);
      const down = new Promise((resolve) => system.events.once('actor:down', resolve));
      system.crash('probe/0');
      await down;
      assert.equal(await probe.ask('echo', 2), 2);
      assert.equal(system.deadLetters.total, 0);
    });

    it('leaves a letter when it took a buffer along and its actor died before it began', async () => {
      const buffer = new ArrayBuffer(8);
      assert.equal(probe.tell('note', buffer as unknown as string, { transfer: [buffer] }), 'sent');
      const letter = nextLetter();
      system.crash('probe/0');
      gate.open();
      await assert.rejects(blocked.then(() => probe.ask('crash', undefined)));
      const { code, method } = await letter;
      assert.deepEqual([code, method], ['ACTOR_DIED', 'note']);
    });
  });

  describe('sent', () => {
    it('is not delivered when its signal is aborted already', async () => {
      await assert.rejects(probe.send('note', 'late', { signal: AbortSignal.abort() }), {
        code: 'ABORTED',
        retrySafe: true,
      });
      assert.deepEqual(await notes(), []);
    });

    it('is not delivered when it is aborted while it waits for room', async () => {
      fill();
      const abort = new AbortController();
      const sent = probe.send('note', 'left', { signal: abort.signal });
      abort.abort();
      await assert.rejects(sent, { code: 'ABORTED', retrySafe: true });
      assert.deepEqual(await notes(), []);
    });

    it('is not delivered when its time is over while it waits for room', async ({ mock }) => {
      fill();
      mock.timers.enable({ apis: ['setTimeout'] });
      const sent = probe.send('note', 'late', { deadlineMs: 20 });
      mock.timers.tick(20);
      await assert.rejects(sent, { code: 'ASK_TIMEOUT', retrySafe: true });
      mock.timers.reset();
      assert.deepEqual(await notes(), []);
    });

    it('waits for room, however many wait', async () => {
      const sent = Array.from({ length: 3_000 }, (_, index) => probe.send('note', `${index}`));
      assert.equal(probe.outboxSize, 3_000 - ROOM);
      gate.open();
      await Promise.all(sent);
      const all = await probe.ask('notes', undefined);
      assert.deepEqual(
        all,
        Array.from({ length: 3_000 }, (_, index) => `${index}`),
      );
    });

    it('does not take the room of asks, which are bounded', async () => {
      fill();
      const sends = [1, 2, 3].map((n) => probe.send('note', `filler s${n}`));
      const asks = [1, 2, 3].map((n) => probe.ask('echo', n, NO_DEADLINE));
      await assert.rejects(asks[2] ?? Promise.resolve(), { code: 'MAILBOX_FULL' });
      gate.open();
      await Promise.all(sends);
      assert.deepEqual(await Promise.all(asks.slice(0, 2)), [1, 2]);
    });
  });
});
