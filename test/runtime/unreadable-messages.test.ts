import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Arrivals } from '../../runtime/actor/arrivals.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { InProcessTransport } from '../../runtime/transport/in-process.ts';
import type { DataMessage } from '../../runtime/wire/messages.ts';
import probe from './actors/probe-actor.ts';
import type { ProbeRef } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

/** A message with this payload cannot be read by whoever gets it. */
const UNREADABLE = 'unreadable';
const ROOM = 4;

/** As the transport between threads does, which has more to read. */
function refuseToRead(): void {
  const listen = InProcessTransport.prototype.listen;
  mock.method(InProcessTransport.prototype, 'listen', function (this: InProcessTransport, listener) {
    listen.call(this, {
      onMessage(message) {
        const isUnreadable = 'payload' in message && message.payload === UNREADABLE;
        if (isUnreadable) listener.onUnreadable?.(new RangeError('too deep'));
        else listener.onMessage(message);
      },
      onClose: () => listener.onClose(),
    });
  } satisfies InProcessTransport['listen']);
}

describe('a message that its actor cannot read', () => {
  let system: ActorSystem;
  let local: ProbeRef;

  beforeEach(async () => {
    refuseToRead();
    system = new ActorSystem();
    const options = { name: 'local', mailbox: { messages: ROOM }, restart: { minBackoffMs: 1 } };
    local = await system.spawnLocal(probe, {}, options);
  });
  afterEach(async () => {
    await system.stop();
    mock.restoreAll();
  });

  it('fails, when an answer is waited for, in its place among the others', async () => {
    const settled: string[] = [];
    const note = (what: string) => () => void settled.push(what);
    await Promise.all([
      local.ask('echo', 1).then(note('first')),
      local.ask('echo', UNREADABLE).then(note('read'), (error) => note(error.code)()),
      local.ask('echo', 2).then(note('last')),
    ]);
    assert.deepEqual(settled, ['first', 'PROTOCOL_VIOLATION', 'last']);
  });

  it('is a dead letter with the reason, when it was told, and others keep their order', async () => {
    for (const text of ['a', UNREADABLE, UNREADABLE, 'b']) local.tell('note', text);
    assert.deepEqual(await local.ask('notes', undefined), ['a', 'b']);
    const why = 'local/0 cannot read "note": too deep';
    assert.deepEqual(
      system.deadLetters.recent.map(({ method, code, error }) => [method, code, error?.message]),
      [
        ['note', 'PROTOCOL_VIOLATION', why],
        ['note', 'PROTOCOL_VIOLATION', why],
      ],
    );
  });

  it('fails the stream that it was to open', async () => {
    await assert.rejects(local.stream('say', UNREADABLE).final, { code: 'PROTOCOL_VIOLATION' });
  });

  it('takes no room for ever, of whatever priority', async () => {
    for (const priority of ['high', 'normal', 'low'] as const) {
      for (let i = 0; i < 3 * ROOM; i++)
        await assert.rejects(local.ask('echo', UNREADABLE, { priority }), { code: 'PROTOCOL_VIOLATION' });
      for (let i = 0; i < ROOM; i++) assert.equal(local.tell('note', 'fits', { priority }), 'sent');
    }
  });

  it('leaves it known what had begun when the actor dies', async () => {
    local.tell('note', UNREADABLE);
    const begun = new Gate();
    const hangs = local.ask('hang', begun.cells);
    const waits = local.ask('echo', 'waits');
    await begun.reached();
    system.crash('local/0');
    await assert.rejects(hangs, { code: 'ACTOR_DIED', retrySafe: false });
    assert.equal(await waits, 'waits');
  });
});

describe('what came behind a message that cannot be read', () => {
  const note = (payload: number): DataMessage => ({ t: 'tell', method: 'note', payload, bytes: 0 });

  it('is taken, with a warning, when the client is gone before it has said what that was', async () => {
    const taken: unknown[] = [];
    const gaps: number[] = [];
    const arrivals = new Arrivals({
      onData: ({ payload }) => taken.push(payload),
      onControl: ({ t }) => taken.push(t),
      onGap: (number) => gaps.push(number),
    });
    const warned = once(process, 'warning');
    arrivals.take(note(0));
    arrivals.unreadable(new RangeError('too deep'));
    arrivals.take(note(2));
    arrivals.unreadable(new RangeError('too deep'));
    arrivals.take({ t: 'last' });
    assert.deepEqual(taken, [0]);
    arrivals.end();
    assert.deepEqual(taken, [0, 2, 'last']);
    assert.equal((await warned)[0].code, 'MESSAGE_UNREADABLE');
    assert.equal(gaps[0], 1);
  });
});
