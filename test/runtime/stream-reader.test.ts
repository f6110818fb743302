import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActorError } from '../../runtime/errors.ts';
import { StreamReader } from '../../runtime/stream/stream-reader.ts';
import { InProcessTransport } from '../../runtime/transport/in-process.ts';

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
