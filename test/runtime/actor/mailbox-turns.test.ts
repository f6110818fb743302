import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Delivery } from '../../../runtime/actor/delivery.ts';
import { Inlet } from '../../../runtime/actor/inlet.ts';
import { Mailbox } from '../../../runtime/actor/mailbox.ts';
import { flushAtTurnsEnd } from '../../../runtime/transport/departures.ts';
import { InProcessTransport } from '../../../runtime/transport/in-process.ts';
import { channelMemory } from '../support/channel-memory.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function inlet(): Inlet {
  const [port] = InProcessTransport.pair();
  const owner = { holder: 1, onDelivery() {}, onClose() {} };
  return new Inlet({ port, ...channelMemory() }, owner);
}

/** A mailbox whose handlers take so many ms of a clock that moves only so. */
function mailbox(handle: (method: string) => number | Promise<void>, concurrency = 1) {
  let now = 0;
  const started: string[] = [];
  const from = inlet();
  const box = new Mailbox(
    concurrency,
    {
      handle({ message, left }) {
        if (left !== undefined) return undefined;
        started.push(message.method);
        const took = handle(message.method);
        if (typeof took !== 'number') return took;
        now += took;
        return undefined;
      },
      onChange() {},
    },
    () => now,
  );
  const push = (method: string): Delivery => {
    const delivery = new Delivery(from, { t: 'tell', method, payload: undefined, bytes: 0 }, undefined);
    box.push(delivery);
    return delivery;
  };
  return { box, push, started };
}

describe('a turn of the mailbox', () => {
  it('starts many brief handlers', async () => {
    const { push, started } = mailbox(() => 0);
    for (let i = 0; i < 100; i++) push('brief');
    await turn();
    assert.equal(started.length, 100);
  });

  it('ends when a handler has computed for a millisecond, so that what was called off meanwhile does not start', async () => {
    const { push, started } = mailbox(() => 1);
    push('first');
    const second = push('second');
    push('third');
    await turn();
    assert.deepEqual(started, ['first']);
    second.interrupt(new Error('left')); // read while the event loop turned
    await turn();
    await turn();
    assert.deepEqual(started, ['first', 'third']);
  });

  it('ends also for handlers that are many and brief', async () => {
    const { push, started } = mailbox(() => 0.3);
    for (let i = 0; i < 10; i++) push('brief');
    await turn();
    assert.equal(started.length, 4);
  });

  it('starts nothing more once the mailbox is closed in between', async () => {
    const { box, push, started } = mailbox(() => 1);
    push('first');
    push('second');
    await turn();
    assert.equal(box.close().length, 1);
    await turn();
    assert.deepEqual(started, ['first']);
  });

  it('counts a handler that waits only for what it computes', async () => {
    const gate = Promise.withResolvers<void>();
    const { push, started } = mailbox((method) => (method === 'waits' ? gate.promise : 0), 2);
    push('waits');
    push('next');
    await turn();
    assert.deepEqual(started, ['waits', 'next']);
    gate.resolve();
  });

  it('lets answers leave before a handler that is not known to be brief', async () => {
    const left: string[] = [];
    let isHoldingBack = false;
    const port = {
      flush() {
        isHoldingBack = false;
        left.push('answers');
      },
    };
    const { push } = mailbox((method) => {
      left.push(method);
      if (!isHoldingBack) flushAtTurnsEnd(port);
      isHoldingBack = true;
      return method === 'long' ? 0.5 : 0;
    });
    for (const method of ['brief', 'brief', 'long']) push(method);
    await turn();
    assert.deepEqual(left.slice(0, 4), ['brief', 'brief', 'answers', 'long']);
  });
});
