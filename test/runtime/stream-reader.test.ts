import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { ActorError } from '../../runtime/errors.ts';
import { StreamReader } from '../../runtime/stream/stream-reader.ts';
import { InProcessTransport } from '../../runtime/transport/in-process.ts';
import { MessagePortTransport } from '../../runtime/transport/message-port.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function stream() {
  const [mine, theirs] = InProcessTransport.pair();
  const reader = new StreamReader<number, void>(mine, {
    window: 4,
    windowBytes: 1024,
    label: 'actor.method',
    revive: (wire) => wire,
  });
  let settled = false;
  reader.final.then(
    () => {},
    () => {
      settled = true;
    },
  );
  return { reader, theirs, isSettled: () => settled };
}

describe('a stream whose port closes', () => {
  it('fails, when its writer had been handed over', async () => {
    const { reader, theirs } = stream();
    reader.awaitHandOver(Promise.resolve());
    theirs.close();
    await assert.rejects(reader.final, { code: 'ACTOR_DIED', retrySafe: false });
  });

  it('waits for the hand-over to settle, and fails with its error', async () => {
    const { reader, theirs, isSettled } = stream();
    const handOver = Promise.withResolvers<void>();
    reader.awaitHandOver(handOver.promise);
    theirs.close();
    await turn();
    assert.equal(isSettled(), false, 'the channel to the dead actor may still look alive');
    handOver.reject(
      new ActorError('actor/0 died before it answered', { code: 'ACTOR_DIED', retrySafe: true }),
    );
    await assert.rejects(reader.final, { message: 'actor/0 died before it answered' });
  });

  it('fails once the hand-over succeeds after all', async () => {
    const { reader, theirs, isSettled } = stream();
    const handOver = Promise.withResolvers<void>();
    reader.awaitHandOver(handOver.promise);
    theirs.close();
    await turn();
    assert.equal(isSettled(), false);
    handOver.resolve();
    await assert.rejects(reader.final, { code: 'ACTOR_DIED' });
  });
});

describe('a reader of a stream', () => {
  /** What the writer is told, by its kind. */
  function told(theirs: InProcessTransport): string[] {
    const kinds: string[] = [];
    theirs.listen({ onMessage: ({ t }) => kinds.push(t), onClose() {} });
    return kinds;
  }

  it('that leaves before its first chunk interrupts the writer', async () => {
    const { reader, theirs } = stream();
    const kinds = told(theirs);
    await reader[Symbol.asyncIterator]().return();
    await turn();
    assert.deepEqual(kinds, ['interrupt']);
  });

  it('that leaves while it waits for a chunk interrupts the writer', async () => {
    const { reader, theirs } = stream();
    const kinds = told(theirs);
    const chunks = reader[Symbol.asyncIterator]();
    const next = chunks.next();
    await chunks.return();
    assert.deepEqual(await next, { value: undefined, done: true });
    await turn();
    assert.deepEqual(kinds, ['interrupt']);
  });

  it('gets what was written before the hand-over failed', async () => {
    const { reader, theirs } = stream();
    const handOver = Promise.withResolvers<void>();
    reader.awaitHandOver(handOver.promise);
    for (const value of [1, 2, 3]) theirs.post({ t: 'chunk', value, bytes: 8 });
    handOver.reject(new ActorError('in the middle', { code: 'DEFECT' }));
    const seen: number[] = [];
    const reading = async () => {
      for await (const chunk of reader) seen.push(chunk);
    };
    await assert.rejects(reading(), { message: 'in the middle' });
    assert.deepEqual(seen, [1, 2, 3]);
  });
});

describe('a chunk that cannot be read', () => {
  it('fails the stream, and interrupts its writer', async () => {
    const { port1, port2 } = new MessageChannel();
    const reader = new StreamReader<number, void>(new MessagePortTransport(port1), {
      window: 4,
      windowBytes: 1024,
      label: 'actor.method',
      revive: (wire) => wire,
    });
    const interrupted = once(port2, 'message');
    port1.emit('messageerror', new RangeError('too deep'));
    await assert.rejects(reader.final, { code: 'PROTOCOL_VIOLATION', message: /cannot be read: too deep/ });
    const [message] = await interrupted;
    assert.equal(message.t, 'interrupt');
    port2.close();
  });
});
