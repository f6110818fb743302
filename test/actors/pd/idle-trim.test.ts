import assert from 'node:assert/strict';
import { after, before, describe, it, mock } from 'node:test';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { IdleTrim } from '../../../actors/pd/engine/idle-trim.ts';
import { type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { question, RecordingSink, runToEnd } from './support/requests.ts';

describe('an engine without work', () => {
  let golden: EncodedGolden;
  let engine: PdEngine;
  before(async () => {
    const [first] = await encodedGoldens();
    assert.ok(first);
    golden = first;
    engine = await pilotEngine({ maxRunning: 4, maxWaiting: 4 });
  });
  after(() => engine.dispose());

  async function answer(): Promise<readonly number[]> {
    const sink = new RecordingSink();
    engine.submit(question(golden), sink);
    await runToEnd(engine);
    return sink.tokenIds;
  }

  it('gives back the memory of keys and values, and answers as before', async () => {
    const before = await answer();
    const held = engine.stats().kvBytes;
    engine.trimIdle();
    assert(engine.stats().kvBytes < held, `${held} bytes before, ${engine.stats().kvBytes} after`);
    assert.deepEqual(await answer(), before);
  });

  it('settles while answers run, and answers as before', async () => {
    const sinks = [new RecordingSink(), new RecordingSink()];
    for (const sink of sinks) engine.submit(question(golden), sink);
    while (engine.hasWork) {
      await engine.step();
      engine.settle();
    }
    for (const sink of sinks) assert.deepEqual(sink.tokenIds, golden.tokenIds);
    const held = engine.stats().kvBytes;
    engine.settle();
    engine.settle();
    assert(engine.stats().kvBytes < held, `${held} bytes before, ${engine.stats().kvBytes} after`);
  });

  it('keeps what running answers need', async () => {
    const sink = new RecordingSink();
    engine.submit(question(golden), sink);
    await engine.step();
    await engine.step();
    engine.trimIdle();
    await runToEnd(engine);
    assert.deepEqual(sink.tokenIds, golden.tokenIds);
  });
});

describe('the wait before memory is given back', () => {
  it('begins when there is nothing to do, once, and ends when there is', (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    let trims = 0;
    const idle = new IdleTrim(() => {
      trims += 1;
    });
    idle.idle();
    mock.timers.tick(999);
    idle.idle();
    assert.equal(trims, 0);
    mock.timers.tick(1);
    assert.equal(trims, 1);
    idle.idle();
    idle.busy();
    mock.timers.tick(60_000);
    assert.equal(trims, 1);
  });
});
