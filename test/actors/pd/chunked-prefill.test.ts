import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { GROUP_QUERY } from '../../fixtures/graphs/group-query-decoder.ts';
import { groupQueryEngine } from './support/group-query.ts';
import { type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { askTokens, envelope, question, RecordingSink, runToEnd } from './support/requests.ts';

async function answers(engine: PdEngine, goldens: readonly EncodedGolden[]): Promise<number[][]> {
  const sinks = goldens.map((golden) => {
    const sink = new RecordingSink();
    engine.submit(question(golden), sink);
    return sink;
  });
  await runToEnd(engine);
  return sinks.map((sink) => sink.tokenIds);
}

describe('prompts in parts', () => {
  let goldens: EncodedGolden[];
  before(async () => {
    goldens = await encodedGoldens();
  });

  for (const chunk of [1, 7, 16, 64, 2000]) {
    it(`of ${chunk} tokens a step: the goldens, token for token`, async () => {
      const some = chunk === 1 ? goldens.slice(0, 8) : goldens;
      const engine = await pilotEngine({ prefillTokensPerStep: chunk, prefixCacheBytes: 0 });
      assert.deepEqual(
        await answers(engine, some),
        some.map(({ tokenIds }) => tokenIds),
      );
      const { prefillRuns, prefills, prefillTokens } = engine.stats();
      assert.equal(prefills, some.length);
      assert.equal(
        prefillTokens,
        some.reduce((sum, { promptIds }) => sum + promptIds.length, 0),
      );
      if (chunk < 40) assert.ok(prefillRuns >= 3 * prefills, 'cut');
      if (chunk === 2000) assert.ok(prefillRuns <= prefills - 15, 'the first 16 share a run');
      await engine.dispose();
    });
  }

  it('of one size while nobody reads, so that no small one is left for the end', async () => {
    const engine = await groupQueryEngine({ prefillTokensPerStep: 60 });
    askTokens(engine, 70, 2);
    await engine.step();
    assert.equal(engine.stats().prefillTokens, 35);
    await runToEnd(engine);
    await engine.dispose();
  });

  it('count as prompts until the first token, and then as answers', async () => {
    const engine = await groupQueryEngine({ prefillTokensPerStep: 60 });
    const counts = () => ({ prompting: engine.prompting, answering: engine.answering });
    askTokens(engine, 70, 4);
    assert.deepEqual(counts(), { prompting: 1, answering: 0 });
    await engine.step();
    assert.deepEqual(counts(), { prompting: 1, answering: 0 });
    await engine.step();
    assert.deepEqual(counts(), { prompting: 0, answering: 1 });
    await runToEnd(engine);
    assert.deepEqual(counts(), { prompting: 0, answering: 0 });
    await engine.dispose();
  });

  it('as large as a step allows while somebody reads', async () => {
    const engine = await groupQueryEngine({ prefillTokensPerStep: 60 });
    const reader = askTokens(engine, 10, 20);
    await engine.step();
    assert.equal(reader.tokenIds.length, 2);
    askTokens(engine, 70, 2);
    await engine.step();
    assert.equal(engine.stats().prefillTokens, 10 + 60);
    await runToEnd(engine);
    await engine.dispose();
  });

  it('at the pace that was measured: the goldens, token for token', async () => {
    const engine = await pilotEngine();
    assert.deepEqual(
      await answers(engine, goldens),
      goldens.map(({ tokenIds }) => tokenIds),
    );
    await engine.dispose();
  });

  it('GroupQueryAttention: whole, in parts and together are the same', async () => {
    const prompts = Array.from({ length: 6 }, (_, request) =>
      Array.from({ length: 3 + 9 * request }, (_, i) => (i * 11 + request * 7) % GROUP_QUERY.vocabulary),
    );
    const results: number[][][] = [];
    for (const options of [
      { kind: 'plain' },
      { prefillTokensPerStep: 1000, maxRunning: 1 },
      { prefillTokensPerStep: 5 },
      { prefillTokensPerStep: 1000 },
    ] as const) {
      const engine = await groupQueryEngine(options);
      const sinks = prompts.map((prompt) => {
        const sink = new RecordingSink();
        engine.submit({ envelope: envelope(prompt, { maxTokens: 12 }), images: [] }, sink);
        return sink;
      });
      await runToEnd(engine);
      results.push(sinks.map((sink) => sink.tokenIds));
      await engine.dispose();
    }
    const [plain, ...others] = results;
    for (const other of others) assert.deepEqual(other, plain);
  });
});

describe('a prompt that ends at the end of the context', () => {
  // Its parts leave room in the `PromptKv`: with the new tokens, more places than the rotary table has positions.
  it('runs in parts of any length', async () => {
    const prompt = Array.from(
      { length: GROUP_QUERY.contextLength - 1 },
      (_, i) => i % GROUP_QUERY.vocabulary,
    );
    const results: number[][] = [];
    for (const prefillTokensPerStep of [1000, 5, 31, 62]) {
      const engine = await groupQueryEngine({ prefillTokensPerStep });
      const sink = new RecordingSink();
      engine.submit({ envelope: envelope(prompt, { maxTokens: 4 }), images: [] }, sink);
      await runToEnd(engine);
      assert.deepEqual(sink.codes, []);
      results.push(sink.tokenIds);
      await engine.dispose();
    }
    for (const tokenIds of results) assert.deepEqual(tokenIds, results[0]);
  });
});

describe('a long prompt beside running answers', () => {
  let engine: PdEngine;
  const long = Array.from({ length: 100 }, (_, i) => (i * 3) % GROUP_QUERY.vocabulary);
  before(async () => {
    engine = await groupQueryEngine({ prefillTokensPerStep: 10 });
  });
  after(() => engine.dispose());

  function ask(prompt: readonly number[], maxTokens: number): RecordingSink {
    const sink = new RecordingSink();
    engine.submit({ envelope: envelope(prompt, { maxTokens }), images: [] }, sink);
    return sink;
  }

  it('holds nobody up: each step of it gives everybody a token', async () => {
    const running = ask([1, 2, 3], 60);
    await engine.step();
    const newcomer = ask(long, 2);
    for (let step = 0; step < 9; step++) {
      const tokens = running.tokenIds.length;
      await engine.step();
      assert.equal(running.tokenIds.length, tokens + 1);
      assert.equal(newcomer.tokenIds.length, 0);
      assert.equal(engine.stats().prefilling, 1);
    }
    await engine.step();
    assert.equal(newcomer.tokenIds.length, 2, 'its first token, and its second in the batch');
    await runToEnd(engine);
  });

  it('cancelled between two parts, is run no further, and its memory is free', async () => {
    const sink = ask(long, 2);
    await engine.step();
    await engine.step();
    const before = engine.stats();
    assert.equal(before.prefilling, 1);
    sink.cancelled = true;
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['ABORTED']);
    assert.equal(engine.stats().prefillRuns, before.prefillRuns);
    assert.ok(engine.stats().kvBytes < before.kvBytes);
  });

  it('past its deadline between two parts, is run no further', async () => {
    let deadline = Number.POSITIVE_INFINITY;
    const sink = new RecordingSink();
    const moving = Object.defineProperty({ ...envelope(long) }, 'deadline', { get: () => deadline });
    engine.submit({ envelope: moving, images: [] }, sink);
    await engine.step();
    const { prefillRuns } = engine.stats();
    deadline = 0;
    await runToEnd(engine);
    assert.deepEqual(sink.codes, ['DEADLINE_EXCEEDED']);
    assert.equal(engine.stats().prefillRuns, prefillRuns);
  });
});
