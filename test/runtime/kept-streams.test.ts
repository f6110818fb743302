import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ActorError } from '../../runtime/errors.ts';
import { OpenReaders } from '../../runtime/stream/open-readers.ts';
import { StreamReader } from '../../runtime/stream/stream-reader.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { InProcessTransport } from '../../runtime/transport/in-process.ts';
import probe from './actors/probe-actor.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Fails unless the stream does, with `ACTOR_DIED` and this reason. */
async function diesOf(stream: { readonly final: Promise<unknown> }, reason: string): Promise<void> {
  await assert.rejects(stream.final, (error) => {
    assert(error instanceof ActorError && error.cause instanceof ActorError);
    assert.deepEqual([error.code, error.retrySafe], ['ACTOR_DIED', false]);
    assert.equal(error.cause.message, reason);
    return true;
  });
}

describe('a stream that its actor writes when the handler has returned', () => {
  let system: ActorSystem;
  let there: ProbeRef;
  let other: ProbeRef;
  beforeEach(async () => {
    system = new ActorSystem();
    there = await system.spawn(probeActor, {}, { name: 'there' });
    other = await system.spawn(probeActor, {}, { name: 'other' });
  });
  afterEach(() => system.stop());

  /** Once the handler of the actor that was asked for it has returned. */
  async function kept<Stream extends AsyncIterable<unknown>>(
    stream: Stream,
    asked: ProbeRef,
  ): Promise<Stream> {
    await stream[Symbol.asyncIterator]().next();
    await asked.ask('echo', 'handed over');
    return stream;
  }

  it('says what the actor died of', async () => {
    const stream = await kept(there.stream('neverEnd', undefined), there);
    system.crash('there/0', 'a drill');
    await diesOf(stream, 'there/0 died: a drill');
  });

  it('says what the actor died of to which it was handed on', async () => {
    const stream = await kept(other.stream('relayNeverEnd', there), other);
    system.crash('there/0', 'a drill');
    await diesOf(stream, 'there/0 died: a drill');
  });

  it('says what an actor without a thread died of', async () => {
    const here = await system.spawnLocal(probe, {}, { name: 'here' });
    const stream = await kept(here.stream('neverEnd', undefined), here);
    system.crash('here/0', 'a drill');
    await diesOf(stream, 'here/0 died: a drill');
  });

  it('says so to another thread that reads it', async () => {
    const gate = new Gate();
    const read = other.ask('readNeverEnd', { from: there, cells: gate.cells });
    await gate.reached();
    await there.ask('echo', 'handed over');
    system.crash('there/0', 'a drill');
    assert.equal(await read, 'there/0 died: a drill');
  });

  it('fails when the actor is stopped, and says so', async () => {
    const stream = await kept(there.stream('neverEnd', undefined), there);
    await system.stopPool('there');
    await diesOf(stream, 'there/0 is stopped');
  });
});

describe('the reader of a stream whose actor is over', () => {
  const died = new ActorError('actor/7 died: a drill', { code: 'ACTOR_DIED' });

  function stream(writer: number) {
    const among = new OpenReaders();
    const [mine, theirs] = InProcessTransport.pair();
    const writtenBy = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    new Int32Array(writtenBy)[0] = writer;
    const reader = new StreamReader<number, void>(mine, {
      window: 4,
      windowBytes: 1024,
      label: 'actor.method',
      revive: (wire) => wire,
      listed: { among, writtenBy },
    });
    return { among, reader, theirs };
  }

  it('hears why, whether its port closes before the news comes or after', async () => {
    for (const isFirst of [true, false]) {
      const { among, reader, theirs } = stream(7);
      theirs.post({ t: 'chunk', value: 1, bytes: 8 });
      if (isFirst) among.over(7, died, false);
      theirs.close();
      await turn();
      if (!isFirst) among.over(7, died, false);
      await diesOf(reader, died.message);
      assert.equal(reader.received, 1);
    }
  });

  it('reads what was written before its port closes, though the news came first', async () => {
    const { among, reader, theirs } = stream(7);
    among.over(7, died, false);
    theirs.post({ t: 'chunk', value: 1, bytes: 8 });
    theirs.post({ t: 'end', value: undefined });
    await reader.final;
  });

  it('hears it at once of one that is left behind, whose port stays open', async () => {
    const { among, reader } = stream(7);
    among.over(7, died, true);
    await diesOf(reader, died.message);
  });

  it('does not take the end of another for that of its own', async () => {
    const { among, reader, theirs } = stream(7);
    among.over(8, died, true);
    theirs.post({ t: 'end', value: undefined });
    await reader.final;
  });

  it('does not wait for news where nobody has the stream', async () => {
    const { reader, theirs } = stream(0);
    theirs.close();
    await assert.rejects(reader.final, { code: 'ACTOR_DIED', message: /the actor that was answering died/ });
  });

  it('does not wait for ever for news that do not come', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const { reader, theirs } = stream(7);
    theirs.close();
    await turn();
    mock.timers.tick(1_000);
    await assert.rejects(reader.final, { code: 'ACTOR_DIED', message: /the actor that was answering died/ });
  });
});
