import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { groupQueryEngine } from './support/group-query.ts';
import { askTokens, runToEnd } from './support/requests.ts';

describe('requests that come together', () => {
  it('are decoded together: the first waits for the prompts of the others', async () => {
    const engine = await groupQueryEngine({ maxRunning: 6 });
    // Two of these prompts fit into the 128 tokens of a step.
    const sinks = Array.from({ length: 6 }, () => askTokens(engine, 60, 5));
    await engine.step();
    assert.equal(engine.stats().running, 2);
    assert.equal(engine.stats().decodeSteps, 0);
    await engine.step();
    await engine.step();
    const { decodeSteps, decodeRows } = engine.stats();
    assert.deepEqual({ decodeSteps, decodeRows }, { decodeSteps: 1, decodeRows: 6 });
    await runToEnd(engine);
    for (const sink of sinks) assert.deepEqual(sink.tokenIds, sinks[0]?.tokenIds);
    await engine.dispose();
  });

  it('do not hold up an answer that is being read', async () => {
    const engine = await groupQueryEngine({ maxRunning: 6 });
    const reader = askTokens(engine, 10, 40);
    await engine.step();
    assert.equal(reader.tokenIds.length, 2);
    for (let i = 0; i < 4; i++) askTokens(engine, 60, 5);
    for (let tokens = 3; tokens <= 6; tokens++) {
      await engine.step();
      assert.equal(reader.tokenIds.length, tokens);
    }
    await runToEnd(engine);
    await engine.dispose();
  });

  it('hold up an answer that is wanted whole', async () => {
    const engine = await groupQueryEngine({ maxRunning: 6 });
    askTokens(engine, 10, 40, false);
    await engine.step();
    assert.equal(engine.stats().decodeSteps, 1);
    for (let i = 0; i < 4; i++) askTokens(engine, 60, 5);
    await engine.step();
    assert.equal(engine.stats().decodeSteps, 1);
    await engine.step();
    assert.equal(engine.stats().decodeSteps, 2);
    await runToEnd(engine);
    await engine.dispose();
  });

  it('share a run, beyond the tokens of a step, when all of them are wanted whole', async () => {
    const engine = await groupQueryEngine({ maxRunning: 6 });
    const sinks = Array.from({ length: 6 }, () => askTokens(engine, 60, 5, false));
    await engine.step();
    assert.equal(engine.stats().prefillRuns, 1);
    await runToEnd(engine);
    for (const sink of sinks) assert.deepEqual(sink.tokenIds, sinks[0]?.tokenIds);
    await engine.dispose();
  });

  it('share none beyond that when one of them is to be read', async () => {
    const engine = await groupQueryEngine({ maxRunning: 6 });
    askTokens(engine, 60, 5, false);
    askTokens(engine, 60, 5, true);
    askTokens(engine, 60, 5, false);
    await engine.step();
    assert.equal(engine.stats().prefills, 2);
    await runToEnd(engine);
    await engine.dispose();
  });

  it('hold up the first of them for a bounded number of tokens', async () => {
    const engine = await groupQueryEngine({ maxRunning: 64, maxWaiting: 64 });
    const first = askTokens(engine, 120, 5);
    for (let i = 0; i < 20; i++) askTokens(engine, 120, 5);
    let steps = 0;
    while (first.tokenIds.length < 2 && !first.settled) {
      await engine.step();
      steps += 1;
    }
    assert.equal(steps, 9, '1,024 tokens, 120 of them a step');
    await runToEnd(engine);
    await engine.dispose();
  });
});
