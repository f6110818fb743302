import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { question, RecordingSink, runToEnd } from './support/requests.ts';

describe('an answer that is wanted whole', () => {
  it('goes out in two pieces, what comes first and all the rest', async () => {
    const [golden] = await encodedGoldens();
    assert.ok(golden);
    const engine = await pilotEngine({ maxRunning: 2, maxWaiting: 2 });
    const { envelope, images } = question(golden);
    const sink = new RecordingSink();
    engine.submit({ envelope: { ...envelope, wantsStream: false }, images }, sink);
    await runToEnd(engine);
    assert.equal(sink.chunks.length, 2);
    assert.deepEqual(sink.tokenIds, golden.tokenIds);
    assert.equal(sink.summary.choices[0].finishReason, 'stop');
    await engine.dispose();
  });
});

describe('a consumer slower than the model', () => {
  let golden: EncodedGolden;
  let engine: PdEngine;
  before(async () => {
    const [first] = await encodedGoldens();
    assert.ok(first);
    golden = first;
    engine = await pilotEngine({ maxRunning: 2, maxWaiting: 2 });
  });
  after(() => engine.dispose());

  it('does not stall its batch-mates, and gets its text in one piece when it has credit again', async () => {
    const slow = new RecordingSink();
    slow.credit = 1;
    const mate = new RecordingSink();
    engine.submit(question(golden), slow);
    engine.submit(question(golden), mate);
    await runToEnd(engine);
    assert.deepEqual(mate.tokenIds, golden.tokenIds);
    assert.equal(slow.settled, false);
    assert.equal(engine.stats().draining, 1);

    slow.credit = 1;
    slow.wake();
    assert.equal(slow.chunks.length, 2);
    assert.deepEqual(slow.tokenIds, golden.tokenIds);
    assert.equal(slow.text, mate.text);
    assert.equal(slow.summary.choices[0].finishReason, 'stop');
    assert.equal(engine.stats().draining, 0);
  });

  it('catches up in the middle of its answer', async () => {
    const sink = new RecordingSink();
    sink.credit = 0;
    engine.submit(question(golden), sink);
    await engine.step();
    await engine.step();
    sink.credit = Number.POSITIVE_INFINITY;
    sink.wake();
    assert.deepEqual(sink.tokenIds, golden.tokenIds.slice(0, 3));
    await runToEnd(engine);
    assert.deepEqual(sink.tokenIds, golden.tokenIds);
  });

  it('that leaves while its complete answer waits is told so, once', async () => {
    const sink = new RecordingSink();
    sink.credit = 0;
    engine.submit(question(golden), sink);
    await runToEnd(engine);
    sink.cancelled = true;
    sink.wake();
    assert.deepEqual(sink.codes, ['ABORTED']);
    assert.equal(sink.summaries.length, 0);
    assert.equal(engine.stats().draining, 0);
  });
});

describe('a full waiting queue', () => {
  let engine: PdEngine;
  let golden: EncodedGolden;
  before(async () => {
    const [, second] = await encodedGoldens();
    assert.ok(second);
    golden = second;
    engine = await pilotEngine({ maxRunning: 1, maxWaiting: 2 });
  });
  after(() => engine.dispose());

  it('fails a further request with MAILBOX_FULL and releases its images', async () => {
    const sinks = [1, 2, 3].map(() => new RecordingSink());
    const requests = sinks.map(() => question(golden));
    for (const [index, sink] of sinks.entries()) {
      const request = requests[index];
      if (request !== undefined) engine.submit(request, sink);
    }
    assert.deepEqual(sinks[2]?.codes, ['MAILBOX_FULL']);
    assert.equal(requests[2]?.images[0].releases, 1);
    await runToEnd(engine);
    assert.deepEqual(sinks[1]?.tokenIds, golden.tokenIds);
  });

  it('lets one caller on per place, in order', async () => {
    engine.submit(question(golden), new RecordingSink());
    engine.submit(question(golden), new RecordingSink());
    assert.equal(engine.hasRoom, false);
    const woken: string[] = [];
    const third = new RecordingSink();
    const callers = ['first', 'second'].map(async (name) => {
      await engine.roomToSubmit();
      woken.push(name);
      engine.submit(question(golden), name === 'first' ? new RecordingSink() : third);
    });
    await engine.step();
    assert.deepEqual(woken, ['first']);
    await runToEnd(engine);
    await Promise.all(callers);
    await runToEnd(engine);
    assert.deepEqual(woken, ['first', 'second']);
    assert.deepEqual(third.tokenIds, golden.tokenIds);
  });
});
