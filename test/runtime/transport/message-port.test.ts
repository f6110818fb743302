import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { flushAll } from '../../../runtime/transport/departures.ts';
import { MessagePortTransport } from '../../../runtime/transport/message-port.ts';
import type { WireMessage } from '../../../runtime/wire/messages.ts';
import { type SmallJson, smallJson } from '../../../runtime/wire/small-json.ts';
import { CREDIT_TEXT, replyText } from '../../../runtime/wire/text-codec.ts';

const json = (value: unknown): SmallJson => {
  const made = smallJson(value);
  assert(made !== undefined);
  return made;
};

describe('messages of one turn', () => {
  let near: MessagePortTransport;
  let far: MessagePortTransport;
  let got: WireMessage[];

  beforeEach(() => {
    [near, far] = MessagePortTransport.pair();
    got = [];
    far.listen({ onMessage: (message) => got.push(message), onClose() {} });
  });
  afterEach(() => {
    near.close();
    far.close();
  });

  const ids = () => got.map((message) => ('id' in message ? message.id : message.t));
  const say = (id: number, value?: unknown) => near.postText(replyText(id, json(value)));

  it('leave at the end of the turn', async () => {
    for (let id = 0; id < 4; id++) say(id);
    far.drain();
    assert.deepEqual(ids(), []);
    await new Promise<void>((resolve) => process.nextTick(resolve));
    far.drain();
    assert.deepEqual(ids(), [0, 1, 2, 3]);
  });

  it('leave at once when the first of them is urgent, and that alone', () => {
    near.postText(CREDIT_TEXT, true);
    near.postText(CREDIT_TEXT, true);
    far.drain();
    assert.deepEqual(ids(), ['credit']);
    flushAll();
    far.drain();
    assert.deepEqual(ids(), ['credit', 'credit']);
  });

  it('leave in portions when they are many, so that the other thread can begin', () => {
    for (let id = 0; id < 20; id++) say(id);
    far.drain();
    const begun = ids().length;
    assert(begun > 0 && begun < 20);
    flushAll();
    far.drain();
    assert.deepEqual(
      ids(),
      Array.from({ length: 20 }, (_, id) => id),
    );
  });

  it('go on in portions, which the other thread reads meanwhile', () => {
    for (let id = 0; id < 300; id++) say(id);
    far.drain();
    assert(ids().length >= 256 && ids().length < 300);
    flushAll();
    far.drain();
    assert.equal(ids().length, 300);
  });

  it('leave at once where turns have had one each', ({ mock }) => {
    let now = 1_000;
    mock.method(performance, 'now', () => now);
    say(0);
    flushAll();
    now += 1;
    say(1);
    far.drain();
    assert.deepEqual(ids(), [0, 1]);
  });

  it('wait for the end of the turn again as soon as one comes close behind another', ({ mock }) => {
    mock.method(performance, 'now', () => 1_000);
    say(0);
    flushAll();
    for (let id = 1; id < 4; id++) say(id);
    far.drain();
    assert.deepEqual(ids(), [0, 1]);
    flushAll();
    say(4);
    far.drain();
    assert.deepEqual(ids(), [0, 1, 2, 3]);
    flushAll();
    far.drain();
    assert.deepEqual(ids(), [0, 1, 2, 3, 4]);
  });

  it('leave when the thread is about to be busy', () => {
    for (let id = 0; id < 3; id++) say(id);
    flushAll();
    far.drain();
    assert.deepEqual(ids(), [0, 1, 2]);
  });

  it('stay in order with those that are cloned, or take a buffer along', () => {
    say(0);
    say(1);
    const buffer = new ArrayBuffer(8);
    near.post({ t: 'reply', id: 2, value: buffer }, [buffer]);
    say(3);
    near.post({ t: 'reply', id: 4, value: new Map() });
    flushAll();
    far.drain();
    assert.deepEqual(ids(), [0, 1, 2, 3, 4]);
  });

  it('share nothing', () => {
    const same = { n: 1 };
    for (let id = 0; id < 3; id++) say(id, same);
    flushAll();
    far.drain();
    const [, second, third] = got.map((message) => ('value' in message ? message.value : undefined));
    assert.deepEqual([second, third], [same, same]);
    assert.notEqual(second, third);
  });

  it('are what they were when they were posted', () => {
    const changing = { n: 0 };
    for (; changing.n < 3; changing.n++) say(changing.n, changing);
    flushAll();
    far.drain();
    assert.deepEqual(
      got.map((message) => ('value' in message ? message.value : undefined)),
      [{ n: 0 }, { n: 1 }, { n: 2 }],
    );
  });

  it('are not hurt by one that cannot be cloned', () => {
    say(0);
    say(1);
    assert.throws(() => near.post({ t: 'reply', id: 2, value: () => {} }), { name: 'DataCloneError' });
    say(3);
    flushAll();
    far.drain();
    assert.deepEqual(ids(), [0, 1, 3]);
  });

  it('arrive before the end, when the port is closed right after them', async () => {
    const closed = new Promise<void>((resolve) => {
      const [left, right] = MessagePortTransport.pair();
      right.listen({ onMessage: (message) => got.push(message), onClose: resolve });
      for (let id = 0; id < 3; id++) left.postText(replyText(id, json(undefined)));
      left.close();
    });
    await closed;
    assert.deepEqual(ids(), [0, 1, 2]);
  });

  it('go where the port goes that is given away', () => {
    const [left, right] = MessagePortTransport.pair();
    for (let id = 0; id < 3; id++) left.postText(replyText(id, json(undefined)));
    const moved = new MessagePortTransport(left.detach().token);
    moved.postText(replyText(3, json(undefined)));
    flushAll();
    right.listen({ onMessage: (message) => got.push(message), onClose() {} });
    right.drain();
    assert.deepEqual(ids(), [0, 1, 2, 3]);
    moved.close();
  });

  it('are not delivered any more once the receiver has closed its end, also in the middle of them', () => {
    const [left, right] = MessagePortTransport.pair();
    right.listen({
      onMessage(message) {
        got.push(message);
        if (got.length === 2) right.close();
      },
      onClose() {},
    });
    for (let id = 0; id < 5; id++) left.postText(CREDIT_TEXT);
    flushAll();
    right.drain();
    assert.equal(got.length, 2);
  });
});

describe('a message that this thread cannot read', () => {
  let port1: MessagePort;
  let port2: MessagePort;
  beforeEach(() => {
    ({ port1, port2 } = new MessageChannel());
  });
  afterEach(() => port2.close());

  it('is told to who listens', () => {
    const told: unknown[] = [];
    new MessagePortTransport(port1).listen({
      onMessage() {},
      onClose() {},
      onUnreadable: (cause) => told.push(cause),
    });
    const cause = new RangeError('too deep');
    port1.emit('messageerror', cause);
    assert.deepEqual(told, [cause]);
  });

  it('is a warning where nobody asks', async () => {
    new MessagePortTransport(port1).listen({ onMessage() {}, onClose() {} });
    const warned = once(process, 'warning');
    port1.emit('messageerror', new RangeError('too deep'));
    const [warning] = await warned;
    assert.equal(warning.code, 'MESSAGE_UNREADABLE');
    assert.match(warning.message, /is lost: too deep/);
  });
});
