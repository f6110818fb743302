import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Delivery } from '../../../runtime/actor/delivery.ts';
import { Inlet } from '../../../runtime/actor/inlet.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import { InProcessTransport } from '../../../runtime/transport/in-process.ts';
import { channelMemory } from '../support/channel-memory.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Why the first message is not waited for any more; undefined while it is. */
function codeOfLeaving([first]: readonly Delivery[]): string | undefined {
  const reason = first?.left?.reason;
  return TroupeError.is(reason) ? reason.code : undefined;
}

const FIELDS = { method: 'some', payload: undefined, bytes: 0 };

describe('a sender that waits for the end of what it has told', () => {
  it('hears of it once all has ended, whatever else it had sent', async () => {
    const got: Delivery[] = [];
    const said: string[] = [];
    const [sender, port] = InProcessTransport.pair();
    const owner = { holder: 1, onDelivery: (delivery: Delivery) => void got.push(delivery), onClose() {} };
    const inlet = new Inlet({ port, ...channelMemory() }, owner);
    sender.listen({ onMessage: ({ t }) => said.push(t), onClose() {} });
    sender.post({ t: 'tell', ...FIELDS });
    sender.post({ t: 'ask', id: 1, ...FIELDS });
    sender.post({ t: 'tell', ...FIELDS });
    sender.post({ t: 'last' });
    await turn();
    const [first, , third] = got;
    assert(first !== undefined && third !== undefined);
    for (const delivery of got) inlet.start(delivery);
    await turn();
    said.length = 0; // a table
    inlet.reply(third, undefined);
    await turn();
    assert.deepEqual(said, []);
    inlet.refuse(first, new Error('it failed'));
    await turn();
    assert.deepEqual(said, ['credit']);
  });
});

describe('what waits for an actor when its sender is gone', () => {
  let got: Delivery[];
  let sender: InProcessTransport;

  beforeEach(() => {
    got = [];
    const [mine, theirs] = InProcessTransport.pair();
    sender = mine;
    const owner = { holder: 1, onDelivery: (delivery: Delivery) => void got.push(delivery), onClose() {} };
    new Inlet({ port: theirs, ...channelMemory() }, owner);
  });

  it('is left, when the sender was to be answered', async () => {
    sender.post({ t: 'ask', id: 1, ...FIELDS });
    sender.close();
    await turn();
    assert.equal(codeOfLeaving(got), 'ABORTED');
  });

  it('is not left, when it is a stream: others read those that were handed over', async () => {
    const [reader, port] = InProcessTransport.pair();
    const writer = {
      port,
      credits: 1,
      byteCredits: 1,
      interrupted: undefined,
      writtenBy: new SharedArrayBuffer(4),
    };
    sender.post({ t: 'open', id: 1, ...FIELDS, writer });
    sender.close();
    await turn();
    assert.equal(codeOfLeaving(got), undefined);
    reader.close();
    await turn();
    assert.equal(codeOfLeaving(got), 'ABORTED');
  });
});
