import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ActorSystem } from '../../runtime/system/actor-system.ts';
import type { ProbeRef } from './actors/probe-protocol.ts';
import { blockedProbe } from './support/blocked-probe.ts';
import type { Gate } from './support/gate.ts';

const MAILBOX = { messages: 64, bytes: 1024 * 1024 };
const OUTBOX = 200;

describe('a mailbox', () => {
  let system: ActorSystem;
  let probe: ProbeRef;
  let gate: Gate;
  let blocked: Promise<void>;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    ({ system, probe, gate, blocked, stop } = await blockedProbe({ mailbox: MAILBOX, outbox: OUTBOX }));
  });
  afterEach(() => stop());

  it('takes a bounded number of messages and tells the sender when it is full', async () => {
    const statuses: string[] = [];
    for (let i = 0; i < MAILBOX.messages + 2; i++) statuses.push(probe.tell('note', `${i}`));
    const { messages } = MAILBOX;
    assert.deepEqual(statuses, [...Array(messages).fill('sent'), 'full', 'full']);
    assert.equal(system.deadLetters.total, 2);
    assert.equal(system.deadLetters.recent.at(-1)?.code, 'MAILBOX_FULL');
    gate.open();
    await blocked;
    assert.equal((await probe.ask('notes', undefined)).length, messages);
  });

  it('lets asks beyond its room wait at the sender, and answers all of them in order', async () => {
    const order: unknown[] = [];
    const asks = Array.from({ length: 3 * MAILBOX.messages }, (_, index) =>
      probe.ask('echo', index).then((value) => order.push(value)),
    );
    assert.equal(probe.outboxSize, 2 * MAILBOX.messages);
    gate.open();
    await Promise.all(asks);
    assert.deepEqual(
      order,
      Array.from({ length: asks.length }, (_, index) => index),
    );
  });

  it('refuses an ask when the sender holds back too many already', async () => {
    const asks = Array.from({ length: MAILBOX.messages + OUTBOX + 1 }, (_, index) =>
      probe.ask('echo', index),
    );
    await assert.rejects(asks.at(-1) ?? Promise.resolve(), { code: 'MAILBOX_FULL', retrySafe: true });
    gate.open();
    await Promise.all(asks.slice(0, -1));
  });

  it('skips a message that was cancelled while it waited', async () => {
    const abort = new AbortController();
    const waiting = probe.ask('hang', undefined, { signal: abort.signal });
    abort.abort();
    await assert.rejects(waiting, { code: 'ABORTED' });
    gate.open();
    await blocked;
    assert.deepEqual(await probe.ask('notes', undefined), []);
  });

  it('bounds the bytes that wait in it', async () => {
    const big = new Uint8Array(MAILBOX.bytes * 0.6);
    const first = probe.ask('echo', big);
    const second = probe.ask('echo', big);
    assert.equal(probe.outboxSize, 1);
    gate.open();
    await Promise.all([first, second]);
  });
});
