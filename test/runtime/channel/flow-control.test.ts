import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlowReceiver, FlowSender } from '../../../runtime/channel/flow-control.ts';

function channel(window = { messages: 2, kib: 4 }) {
  const buffer = FlowSender.createBuffer();
  return { buffer, sender: new FlowSender(buffer, window), receiver: new FlowReceiver(buffer) };
}

describe('flow control', () => {
  it('grants credit for as many messages as the window holds, and again for each that is started', () => {
    const { sender, receiver } = channel();
    sender.spend(0);
    sender.spend(0);
    assert.equal(sender.hasCredit(0), false);
    receiver.start(0);
    assert.equal(sender.hasCredit(0), true);
    assert.equal(sender.unstarted, 1);
  });

  it('bounds the bytes under way', () => {
    const { sender } = channel();
    sender.spend(3 * 1024);
    assert.equal(sender.hasCredit(1024), true);
    assert.equal(sender.hasCredit(1025), false);
  });

  it('lets a message larger than the whole window travel alone', () => {
    const { sender, receiver } = channel();
    assert.equal(sender.hasCredit(1_000_000), true);
    sender.spend(1_000_000);
    assert.equal(sender.hasCredit(0), false);
    receiver.start(1_000_000);
    assert.equal(sender.hasCredit(0), true);
  });

  it('counts each priority by itself', () => {
    const { buffer, sender, receiver } = channel();
    const urgent = new FlowSender(buffer, { messages: 2, kib: 4 }, 'high');
    sender.spend(1024);
    sender.spend(1024);
    urgent.spend(0);
    assert.deepEqual([sender.hasCredit(0), urgent.hasCredit(0)], [false, true]);
    new FlowReceiver(buffer, 'high').start(0);
    assert.deepEqual([sender.unstarted, urgent.unstarted], [2, 0]);
    receiver.start(1024);
    assert.deepEqual([sender.unstarted, urgent.unstarted], [1, 0]);
  });

  it('asks the actor to wake a waiting client once', () => {
    const { sender, receiver } = channel();
    sender.spend(0);
    sender.spend(0);
    sender.requestCredit();
    assert.equal(receiver.start(0), true);
    assert.equal(receiver.start(0), false);
  });

  it('wakes a client that filled the window when half of it is free, and one that lacks bytes at once', () => {
    const { sender, receiver } = channel({ messages: 8, kib: 4 });
    for (let i = 0; i < 8; i++) sender.spend(0);
    sender.requestCredit();
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => receiver.start(0)),
      [false, false, false, true, false],
    );
    sender.spend(4 * 1024);
    sender.requestCredit();
    assert.equal(receiver.start(0), true);
  });
});
