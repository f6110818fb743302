import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Priority } from '../../runtime/channel/priority.ts';
import type { ProbeRef } from './actors/probe-protocol.ts';
import { blockedProbe } from './support/blocked-probe.ts';
import type { Gate } from './support/gate.ts';

/** What was sent has left: it lies at the actor when that looks. */
const allSent = () => new Promise<void>((resolve) => setImmediate(resolve));

const MAILBOX = { messages: 8, bytes: 1024 * 1024 };

describe('the priority of a message', () => {
  let probe: ProbeRef;
  let gate: Gate;
  let blocked: Promise<void>;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    ({ probe, gate, blocked, stop } = await blockedProbe({ mailbox: MAILBOX, outbox: 4 }));
  });
  afterEach(() => stop());
  const note = (text: string, priority?: Priority) => probe.tell('note', text, { priority });

  it('says what is taken from the mailbox first; of one priority they stay in order', async () => {
    note('l1', 'low');
    note('n1');
    note('h1', 'high');
    note('n2', 'normal');
    note('h2', 'high');
    note('l2', 'low');
    const notes = probe.ask('notes', undefined, { priority: 'low' });
    await allSent();
    gate.open();
    await blocked;
    assert.deepEqual(await notes, ['h1', 'h2', 'n1', 'n2', 'l1', 'l2']);
  });

  it('goes along with what is traced, and with what is cloned', async () => {
    note('normal');
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const traced = probe.ask('notes', undefined, { priority: 'high', traceparent });
    const trace = probe.ask('trace', new Map(), { priority: 'high', traceparent });
    const cloned = probe.ask('notes', new Map() as never, { priority: 'high' });
    await allSent();
    gate.open();
    assert.deepEqual([await traced, await trace, await cloned], [[], traceparent, []]);
    assert.deepEqual(await probe.ask('notes', undefined), ['normal']);
  });

  it('has room of its own: what is full of others is not full for it', async () => {
    const statuses = Array.from({ length: MAILBOX.messages + 1 }, (_, index) => note(`n${index}`));
    assert.equal(statuses.at(-1), 'full');
    assert.equal(note('h', 'high'), 'sent');
    const waiting = Array.from({ length: 4 }, (_, index) => probe.ask('echo', index));
    await assert.rejects(probe.ask('echo', 'too many'), { code: 'MAILBOX_FULL' });
    for (let i = 1; i < MAILBOX.messages; i++) note(`h${i}`, 'high');
    assert.equal(note('h8', 'high'), 'full');
    const urgent = probe.ask('notes', undefined, { priority: 'high' }); // waits at the ref, in a line of its own
    assert.equal(probe.outboxSize, 5);
    await allSent();
    gate.open();
    assert.deepEqual((await urgent).slice(0, 8), ['h', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7']);
    await Promise.all(waiting);
  });

  it('does not keep what was not begun from being served after a crash, each message once', async () => {
    for (const text of ['1', '2', '3']) {
      note(`l${text}`, 'low');
      note(`n${text}`);
    }
    const crashed = probe.ask('crash', undefined, { priority: 'high' });
    await allSent();
    gate.open();
    await assert.rejects(crashed, { code: 'ACTOR_DIED', retrySafe: false });
    const notes = await probe.ask('notes', undefined, { priority: 'low' });
    assert.deepEqual(notes, ['n1', 'n2', 'n3', 'l1', 'l2', 'l3']);
  });
});
