import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import type { PdStats } from '../../../actors/pd/engine/pd-stats.ts';
import { processNow } from '../../../runtime/clock.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import { type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { envelope, question, RecordingSink, runToEnd } from './support/requests.ts';

describe('how a request leaves the engine', () => {
  let golden: EncodedGolden;
  let short: EncodedGolden;
  let engine: PdEngine;
  let start: PdStats;
  before(async () => {
    const all = await encodedGoldens();
    const [first, second] = all;
    assert.ok(first && second);
    // 14 tokens and 2 tokens.
    golden = first;
    short = second;
    engine = await pilotEngine({ maxRunning: 4, maxWaiting: 4 });
  });
  after(() => engine.dispose());
  beforeEach(() => {
    start = engine.stats();
  });

  const since = (
    name: 'prefills' | 'prefillTokens' | 'decodeSteps' | 'decodeRows' | 'cancelled' | 'expired',
  ) => engine.stats()[name] - start[name];

  function ask(from = golden, sampling = {}, deadline?: number) {
    const request = question(from, sampling, deadline);
    const sink = new RecordingSink();
    engine.submit(request, sink);
    return { sink, image: request.images[0] };
  }

  it('at the end-of-sequence token, which is neither text nor counted', async () => {
    const { sink, image } = ask(short);
    await runToEnd(engine);
    assert.equal(sink.summary.choices[0].finishReason, 'stop');
    assert.equal(sink.summary.usage.completionTokens, short.tokenIds.length);
    assert.equal(image.releases, 1);
  });

  it('at its token limit', async () => {
    const { sink } = ask(golden, { maxTokens: 3 });
    await runToEnd(engine);
    assert.equal(sink.summary.choices[0].finishReason, 'length');
    assert.deepEqual(sink.tokenIds, golden.tokenIds.slice(0, 3));
    assert.equal(since('decodeRows'), 2, 'the prefill gives the first token');
  });

  it('before a stop string that spans tokens, no part of which is shown', async () => {
    const stop = golden.greedy.slice(12, 20);
    const { sink } = ask(golden, { stop: [stop] });
    await runToEnd(engine);
    assert.equal(sink.summary.choices[0].finishReason, 'stop');
    assert.equal(sink.text, golden.greedy.slice(0, golden.greedy.indexOf(stop)));
    assert.ok(sink.summary.usage.completionTokens < golden.tokenIds.length);
  });

  it('cancelled while it waits: nothing is computed for it', async () => {
    const { sink, image } = ask();
    sink.cancelled = true;
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['ABORTED']);
    assert.equal(since('prefills'), 0);
    assert.equal(since('cancelled'), 1);
    assert.equal(image.releases, 1);
  });

  it('cancelled while it decodes: no further step is spent on it, and its batch-mates go on', async () => {
    const { sink } = ask();
    const mate = ask();
    await engine.step();
    await engine.step();
    sink.cancelled = true;
    const taken = sink.tokenIds.length;
    const rows = since('decodeRows');
    await engine.step();
    assert.equal(since('decodeRows') - rows, 1, 'only the mate is in the batch');
    assert.deepEqual(sink.codes, ['ABORTED']);
    await runToEnd(engine);
    assert.equal(sink.tokenIds.length, taken);
    assert.deepEqual(mate.sink.tokenIds, golden.tokenIds);
  });

  it('cancelled by its own chunk: the step under way is its last', async () => {
    const { sink } = ask();
    sink.emit = () => {
      sink.cancelled = true;
      return true;
    };
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['ABORTED']);
    assert.ok(since('decodeSteps') <= 1);
  });

  it('past its deadline while it waits: nothing is computed for it', async () => {
    const { sink, image } = ask(golden, {}, processNow() - 1);
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['DEADLINE_EXCEEDED']);
    assert.equal(since('prefills'), 0);
    assert.equal(since('expired'), 1);
    assert.equal(image.releases, 1);
  });

  it('past its deadline while it decodes: DEADLINE_EXCEEDED, safe to retry', async () => {
    const request = question(golden);
    let deadline = Number.POSITIVE_INFINITY;
    const sink = new RecordingSink();
    const moving = {
      ...request.envelope,
      get deadline() {
        return deadline;
      },
    };
    engine.submit({ envelope: moving, images: request.images }, sink);
    await engine.step();
    deadline = 0;
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['DEADLINE_EXCEEDED']);
    assert.ok(TroupeError.is(sink.errors[0]) && sink.errors[0].retrySafe);
    assert.equal(since('decodeSteps'), 1);
  });

  it('with a sink that throws: it fails, its batch-mates go on', async () => {
    const { sink } = ask();
    sink.emit = () => {
      throw new Error('broken pipe');
    };
    const mate = ask();
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['UNKNOWN']);
    assert.deepEqual(mate.sink.tokenIds, golden.tokenIds);
  });

  it('with a sink that throws in finish and in fail: the engine stays usable', async () => {
    const refuse = () => {
      throw new Error('gone');
    };
    const { sink } = ask();
    sink.finish = refuse;
    sink.fail = refuse;
    const cancelled = ask();
    cancelled.sink.fail = refuse;
    cancelled.sink.cancelled = true;
    await runToEnd(engine);
    const { sink: next } = ask(short);
    await runToEnd(engine);
    assert.deepEqual(next.tokenIds, short.tokenIds);
  });

  it('refused when its prompt is empty or leaves no room in the context', () => {
    for (const [ids, code] of [
      [[], 'PROMPT_EMPTY'],
      [new Array<number>(2048).fill(7), 'CONTEXT_LENGTH_EXCEEDED'],
    ] as const) {
      const sink = new RecordingSink();
      engine.submit({ envelope: envelope(ids), images: [] }, sink);
      assert.deepEqual(sink.codes, [code]);
    }
    assert.equal(engine.hasWork, false);
  });

  it('refused when its images do not fit its image tokens, and the images are released', async () => {
    const request = question({ ...golden, embeddings: golden.embeddings.subarray(128) });
    const sink = new RecordingSink();
    engine.submit(request, sink);
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['IMAGE_TOKENS_MISMATCH']);
    assert.equal(request.images[0].releases, 1);
  });

  it('failed by a token id outside the vocabulary, alone', async () => {
    const sink = new RecordingSink();
    engine.submit({ envelope: envelope([1, 99_999]), images: [] }, sink);
    const mate = ask(short);
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['MODEL_RUN_FAILED']);
    assert.deepEqual(mate.sink.tokenIds, short.tokenIds);
  });

  it('releases its images as soon as they are merged, long before its answer ends', async () => {
    const { image, sink } = ask();
    await engine.step();
    assert.equal(image.releases, 1);
    assert.equal(sink.settled, false);
    await runToEnd(engine);
    assert.equal(image.releases, 1);
  });
});
