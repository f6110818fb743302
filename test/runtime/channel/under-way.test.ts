import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { FlowSender } from '../../../runtime/channel/flow-control.ts';
import { ArrivedCount, SentCount, UnderWay } from '../../../runtime/channel/under-way.ts';

describe('what is on its way to an actor', () => {
  let underWay: UnderWay;

  beforeEach(() => {
    underWay = new UnderWay();
  });

  function channel(): { readonly sent: SentCount; readonly arrived: ArrivedCount } {
    const memory = { flow: FlowSender.createBuffer(), underWay: underWay.buffer };
    return { sent: new SentCount(memory), arrived: new ArrivedCount(memory) };
  }

  it('is what all its clients have sent and it has not taken', () => {
    const [one, other] = [channel(), channel()];
    one.sent.add();
    other.sent.add();
    other.sent.add();
    other.arrived.add();
    assert.equal(underWay.count, 2);
  });

  it('is read by whoever has the memory', () => {
    channel().sent.add();
    assert.equal(new UnderWay(underWay.buffer).count, 1);
  });

  it('is never less than nothing, when something arrives before it was counted as sent', () => {
    channel().arrived.add();
    assert.equal(underWay.count, 0);
  });

  it('does not contain what a client that is gone had not let go', () => {
    const [gone, other] = [channel(), channel()];
    gone.sent.add();
    gone.sent.add();
    gone.arrived.add();
    other.sent.add();
    gone.arrived.close();
    assert.equal(underWay.count, 1);
  });

  it('counts a message that was claimed once', () => {
    const { sent } = channel();
    assert.equal(sent.claim(underWay.sent), true);
    sent.add();
    assert.equal(underWay.count, 1);
    sent.add();
    assert.equal(underWay.count, 2);
  });

  it('cannot be claimed by who has not seen what another sent', () => {
    const [one, other] = [channel(), channel()];
    const seen = underWay.sent;
    assert.equal(other.sent.claim(seen), true);
    assert.equal(one.sent.claim(seen), false);
    assert.equal(underWay.count, 1);
    one.sent.add();
    assert.equal(underWay.count, 2);
  });

  it('does not contain a message that was claimed and could not be sent', () => {
    const { sent, arrived } = channel();
    sent.claim(underWay.sent);
    sent.takeBack();
    assert.equal(underWay.count, 0);
    sent.takeBack();
    arrived.close();
    assert.equal(underWay.count, 0);
  });

  it('counts each once when one is sent while another that was claimed is written', () => {
    const { sent } = channel();
    sent.claim(underWay.sent);
    sent.claim(underWay.sent);
    sent.add();
    sent.add();
    assert.equal(underWay.count, 2);
  });

  it('counts one that could not be claimed while another that was is written', () => {
    const { sent } = channel();
    sent.claim(underWay.sent);
    assert.equal(sent.claim(underWay.sent - 1), false);
    sent.add();
    assert.equal(underWay.count, 1);
  });

  it('is right when the counters wrap', () => {
    new Int32Array(underWay.buffer).fill(2 ** 31 - 1);
    const { sent, arrived } = channel();
    sent.add();
    sent.add();
    arrived.add();
    assert.equal(underWay.count, 1);
  });
});
