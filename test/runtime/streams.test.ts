import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ActorError } from '../../runtime/errors.ts';
import { ActorRef } from '../../runtime/ref/actor-ref.ts';
import { StreamReader } from '../../runtime/stream/stream-reader.ts';
import { StreamWriter } from '../../runtime/stream/stream-writer.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { InProcessTransport } from '../../runtime/transport/in-process.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';

describe('streams', () => {
  const system = new ActorSystem();
  let first: ProbeRef;
  let second: ProbeRef;

  before(async () => {
    first = await system.spawn(probeActor, {}, { name: 'first' });
    second = await system.spawn(probeActor, {}, { name: 'second' });
  });
  after(() => system.stop());

  /** How many chunks have come when the writer, whose handler is busy, has been given many turns. */
  async function settledAt(reader: { readonly received: number }): Promise<number> {
    while (reader.received === 0) await new Promise(setImmediate);
    for (let i = 0; i < 20; i++) await system.stats();
    return reader.received;
  }

  it('delivers every chunk in order, then the final value', async () => {
    const reader = first.stream('count', 100, { window: 4 });
    const seen: number[] = [];
    for await (const chunk of reader) seen.push(chunk);
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    assert.equal(await reader.final, 'first/0');
  });

  it('that is left before anybody took it over keeps neither a place nor a timer', async () => {
    const later = system.declare(probeActor, { name: 'later' });
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const abort = new AbortController();
    const aborted = later.ref.stream('count', 3, { deadlineMs: 61_001, signal: abort.signal });
    const cancelled = later.ref.stream('count', 3, { deadlineMs: 61_002 });
    assert.equal(timers(), before + 2);
    abort.abort();
    cancelled.cancel();
    await assert.rejects(aborted.final, { code: 'ABORTED' });
    assert.deepEqual([timers(), later.ref.outboxSize], [before, 0]);
  });

  it('fails when it is forwarded with options that make no sense', async () => {
    const [mine, port] = InProcessTransport.pair();
    const reader = new StreamReader<number, string>(mine, {
      window: 1,
      windowBytes: 1,
      label: 'first.count',
      revive: (wire) => wire,
    });
    const writtenBy = new SharedArrayBuffer(4);
    const writer = new StreamWriter<number, string>({
      port,
      credits: 1,
      byteCredits: 1,
      interrupted: undefined,
      writtenBy,
    });
    const forwarded = first.forward('count', 3, writer, { deadlineMs: Number.NaN });
    await assert.rejects(forwarded, { code: 'OPTION_INVALID' });
    await assert.rejects(reader.final, { code: 'OPTION_INVALID' });
  });

  it('stops a writer that has used up its credit', async () => {
    const reader = first.stream('endless', undefined, { window: 5 });
    for await (const chunk of reader) {
      if (chunk === 0) {
        // The writer's loop turns many times while this round trip is under way.
        for (let i = 0; i < 20; i++) await first.ask('echo', i);
        assert.equal(reader.received, 5);
        break;
      }
    }
  });

  it('interrupts the writer when the reader leaves the loop', async () => {
    const from = (await first.ask('notes', undefined)).length;
    for await (const _ of first.stream('endless', undefined)) break;
    while ((await first.ask('notes', undefined)).length === from);
    assert.equal((await first.ask('notes', undefined)).at(-1), 'endless: ABORTED');
  });

  it('fails the reader and interrupts the writer when the signal aborts', async () => {
    const abort = new AbortController();
    const reader = first.stream('endless', undefined, { signal: abort.signal });
    await assert.rejects(
      async () => {
        for await (const _ of reader) abort.abort('enough');
      },
      (error) => error instanceof ActorError && error.code === 'ABORTED' && error.cause === 'enough',
    );
    await assert.rejects(reader.final, { code: 'ABORTED' });
  });

  it('lets an actor hand its stream over, and the other answers the reader directly', async () => {
    const reader = first.stream('relay', { to: second, upTo: 3 });
    const seen: number[] = [];
    for await (const chunk of reader) seen.push(chunk);
    assert.deepEqual(seen, [1, 2, 3]);
    assert.equal(await reader.final, 'second/0');
  });

  it('fails a reader whose request cannot be delivered', async () => {
    const reader = first.stream('count', (() => {}) as unknown as number);
    await assert.rejects(reader.final, { code: 'PROTOCOL_VIOLATION' });
  });

  it('counts its deadline until it has ended, also when the handler has long returned', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const reader = first.stream('neverEnd', undefined, { deadlineMs: 200 });
    await assert.rejects(async () => {
      for await (const _ of reader) mock.timers.tick(200);
    });
    await assert.rejects(reader.final, { code: 'ASK_TIMEOUT', retrySafe: false });
  });

  it('clears its deadline when it has ended', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const reader = first.stream('count', 1, { deadlineMs: 200 });
    for await (const _ of reader);
    mock.timers.tick(300);
    assert.equal(await reader.final, 'first/0');
  });

  it('can be failed after its end could not be cloned', async () => {
    const reader = first.stream('endBadly', undefined);
    await assert.rejects(reader.final, { name: 'DataCloneError' });
  });

  it('is read by one loop: a second one is told so', async () => {
    const reader = first.stream('count', 3);
    const seen: number[] = [];
    for await (const chunk of reader) {
      seen.push(chunk);
      assert.throws(() => reader[Symbol.asyncIterator](), { code: 'PROTOCOL_VIOLATION' });
    }
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it('holds the writer back by bytes, and lets a chunk larger than the window go alone', async () => {
    const bytes = 1000;
    const reader = first.stream('makeMany', { bytes, count: 9 }, { windowBytes: 2 * bytes });
    const [one, ...rest] = [await settledAt(reader), ...(await readAll(reader))];
    assert.equal(one, 2);
    assert.equal(rest.length, 8);
    const large = first.stream('makeMany', { bytes, count: 4 }, { windowBytes: 1 });
    assert.equal(await settledAt(large), 1);
    assert.equal((await readAll(large)).length, 3);
  });

  it('moves chunks and the final value that are marked so', async () => {
    const reader = first.stream('makeMany', { bytes: 5000, count: 3 });
    const chunks = await readAll(reader);
    assert.deepEqual(
      [...chunks, await reader.final].map(({ byteLength }) => byteLength),
      [5000, 5000, 5000],
    );
    assert.equal(await first.ask('kept', undefined), 0);
  });

  it('carries refs in chunks and in the final value', async () => {
    const reader = first.stream('say', { to: second });
    for await (const chunk of reader) assert.equal(await refIn(chunk).ask('echo', 1), 1);
    assert.equal(await refIn(await reader.final).ask('echo', 2), 2);
  });

  it('fails the reader at once when the actor that writes dies, and it is not retry-safe', async () => {
    const reader = first.stream('endless', undefined);
    await assert.rejects(
      async () => {
        for await (const chunk of reader) if (chunk === 0) system.crash('first/0');
      },
      (error) => error instanceof ActorError && error.code === 'ACTOR_DIED' && !error.retrySafe,
    );
  });
});

async function readAll<Chunk>(reader: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of reader) chunks.push(chunk);
  return chunks;
}

function refIn(value: unknown): ProbeRef {
  const ref: unknown = Reflect.get(Object(value), 'to');
  assert(ref instanceof ActorRef);
  return ref;
}
