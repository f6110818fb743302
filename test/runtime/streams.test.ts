import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ActorError } from '../../runtime/errors.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
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
