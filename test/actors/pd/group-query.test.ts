import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { GROUP_QUERY } from '../../fixtures/graphs/group-query-decoder.ts';
import { type GroupQueryOptions, groupQueryEngine } from './support/group-query.ts';
import { envelope, RecordingSink, runToEnd } from './support/requests.ts';

/** Prompts of lengths 1, 4, 7… */
const prompts = Array.from({ length: 8 }, (_, request) =>
  Array.from({ length: 1 + 3 * request }, (_, i) => (i * 13 + request * 5) % GROUP_QUERY.vocabulary),
);

for (const kind of ['plain', 'rewritten'] as const) {
  describe(`a decoder with GroupQueryAttention, which takes ids and has no position_ids, ${kind}`, () => {
    it('gives a request the same tokens in a ragged batch as alone, through growth and compaction', async () => {
      const alone = await groupQueryEngine({ kind, maxRunning: 1 });
      const batch = await groupQueryEngine({ kind, maxRunning: 8 });
      const expected: number[][] = [];
      for (const [index, prompt] of prompts.entries()) {
        const sink = new RecordingSink();
        alone.submit({ envelope: envelope(prompt, { maxTokens: 20 + index }), images: [] }, sink);
        await runToEnd(alone);
        expected.push(sink.tokenIds);
      }
      const sinks = prompts.map((prompt, index) => {
        const sink = new RecordingSink();
        batch.submit({ envelope: envelope(prompt, { maxTokens: 20 + index }), images: [] }, sink);
        return sink;
      });
      await runToEnd(batch);
      assert.deepEqual(
        sinks.map((sink) => sink.tokenIds),
        expected,
      );
      assert.ok(new Set(expected.flat()).size > 8, 'random weights must not collapse to a few tokens');
      await Promise.all([alone.dispose(), batch.dispose()]);
    });

    it('ends at the context length, the whole of it used', async () => {
      const engine = await groupQueryEngine({ kind, maxRunning: 2 });
      const sink = new RecordingSink();
      engine.submit({ envelope: envelope([1, 2, 3], { maxTokens: 1000 }), images: [] }, sink);
      await runToEnd(engine);
      assert.equal(sink.summary.choices[0].finishReason, 'length');
      assert.equal(sink.tokenIds.length, GROUP_QUERY.contextLength - 3);
      await engine.dispose();
    });
  });
}

describe('a decoder with GroupQueryAttention whose steps have a graph of their own', () => {
  const answers = async (options: GroupQueryOptions) => {
    const engine = await groupQueryEngine({ ...options, maxRunning: 4, prefillTokensPerStep: 512 });
    const sinks = prompts.map((prompt, index) => {
      const sink = new RecordingSink();
      const sampling = { maxTokens: 20 + index, logprobs: index % 3 === 0, topLogprobs: 2 };
      engine.submit({ envelope: envelope(prompt, sampling), images: [] }, sink);
      return sink;
    });
    await runToEnd(engine);
    await engine.dispose();
    return sinks.map(({ tokenIds, chunks }) => ({
      tokenIds,
      logprobs: chunks.flatMap(({ logprobs }) => logprobs ?? []),
    }));
  };
  let without: Awaited<ReturnType<typeof answers>>;

  before(async () => {
    without = await answers({});
    assert.ok(new Set(without.flatMap(({ tokenIds }) => tokenIds)).size > 8);
  });

  it('gives the same tokens and log probabilities as without, through growth and compaction', async () => {
    assert.deepEqual(await answers({ steps: true }), without);
  });

  it('gives the same where every other run goes to the sessions with more threads', async () => {
    let asked = 0;
    assert.deepEqual(await answers({ steps: true, isWideNow: () => asked++ % 2 === 0 }), without);
    assert.ok(asked > 40);
  });
});

describe('a decoder with GroupQueryAttention and a sliding window', () => {
  /** Shorter than most prompts, and than every answer. */
  const variant = { windows: [6, undefined] };

  it('answers rewritten, in a ragged batch with free places, as the operator does alone', async () => {
    const operator = await groupQueryEngine({ kind: 'plain', maxRunning: 1, variant });
    const expected: number[][] = [];
    for (const [index, prompt] of prompts.entries()) {
      const sink = new RecordingSink();
      operator.submit({ envelope: envelope(prompt, { maxTokens: 20 + index }), images: [] }, sink);
      await runToEnd(operator);
      expected.push(sink.tokenIds);
    }
    for (const prefillTokensPerStep of [5, 512]) {
      const batch = await groupQueryEngine({ maxRunning: 8, prefillTokensPerStep, variant });
      const sinks = prompts.map((prompt, index) => {
        const sink = new RecordingSink();
        batch.submit({ envelope: envelope(prompt, { maxTokens: 20 + index }), images: [] }, sink);
        return sink;
      });
      await runToEnd(batch);
      const tokens = sinks.map((sink) => sink.tokenIds);
      assert.deepEqual(tokens, expected, `in parts of ${prefillTokensPerStep}`);
      await batch.dispose();
    }
    await operator.dispose();
  });

  it('answers otherwise than without the window', async () => {
    const answers: number[][] = [];
    for (const one of [variant, {}]) {
      const engine = await groupQueryEngine({ maxRunning: 1, variant: one });
      const sink = new RecordingSink();
      engine.submit({ envelope: envelope(prompts[7] ?? [], { maxTokens: 20 }), images: [] }, sink);
      await runToEnd(engine);
      answers.push(sink.tokenIds);
      await engine.dispose();
    }
    assert.notDeepEqual(answers[0], answers[1]);
  });
});
