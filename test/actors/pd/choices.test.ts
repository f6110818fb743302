import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ResolvedSampling } from '../../../actors/generation.ts';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { groupQueryEngine } from './support/group-query.ts';
import { type DecoderKind, type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { envelope, question, RecordingSink, runToEnd } from './support/requests.ts';

const SAMPLED = { temperature: 1.5, topP: 0.98, maxTokens: 24 };

/** Tokens of each answer. */
function answersOf(sink: RecordingSink): number[][] {
  return sink.summary.choices.map((_, index) =>
    sink.chunks.filter((chunk) => chunk.index === index).flatMap(({ tokenIds }) => [...tokenIds]),
  );
}

for (const kind of ['plain', 'rewritten'] satisfies DecoderKind[]) {
  describe(`several answers to one request, ${kind} decoder`, () => {
    let goldens: EncodedGolden[];
    let engine: PdEngine;
    before(async () => {
      goldens = (await encodedGoldens()).slice(0, 4);
      engine = await pilotEngine({ maxRunning: 8 }, kind);
    });
    after(() => engine.dispose());

    function ask(golden: EncodedGolden | undefined, sampling: Partial<ResolvedSampling>) {
      assert.ok(golden);
      const sink = new RecordingSink();
      const request = question(golden, sampling);
      engine.submit(request, sink);
      return { sink, image: request.images[0] };
    }

    it('greedy: all equal, from one run of the prompt, and its image is released once', async () => {
      const { prefills } = engine.stats();
      const { sink, image } = ask(goldens[0], { n: 3 });
      await runToEnd(engine);
      const expected = goldens[0]?.tokenIds;
      assert.deepEqual(answersOf(sink), [expected, expected, expected]);
      assert.equal(engine.stats().prefills, prefills + 1);
      assert.equal(image.releases, 1);
    });

    it('drawn: each is what its seed gives alone, whatever else is in the batch', async () => {
      const alone: number[][] = [];
      for (let index = 0; index < 4; index++) {
        const { sink } = ask(goldens[0], {
          ...SAMPLED,
          seed: 2 ** 32 - 2 + index - (index > 1 ? 2 ** 32 : 0),
        });
        await runToEnd(engine);
        alone.push(sink.tokenIds);
      }
      assert.ok(new Set(alone.map(String)).size > 1);
      const { sink: beside } = ask(goldens[1], {});
      await engine.step();
      const { sink } = ask(goldens[0], { ...SAMPLED, seed: 2 ** 32 - 2, n: 4 });
      const { sink: behind } = ask(goldens[2], {});
      await runToEnd(engine);
      assert.deepEqual(answersOf(sink), alone);
      assert.deepEqual([beside.tokenIds, behind.tokenIds], [goldens[1]?.tokenIds, goldens[2]?.tokenIds]);
    });

    it('the prompt counts once, the tokens of all answers count', async () => {
      const { sink } = ask(goldens[0], { ...SAMPLED, n: 3 });
      await runToEnd(engine);
      const { usage, choices } = sink.summary;
      assert.equal(usage.promptTokens, goldens[0]?.promptIds.length);
      const lengths = answersOf(sink).map(({ length }) => length);
      assert.deepEqual(
        choices.map(({ completionTokens }) => completionTokens),
        lengths,
      );
      assert.equal(
        usage.completionTokens,
        lengths.reduce((sum, length) => sum + length, 0),
      );
    });

    it('a cancel ends all of them', async () => {
      const { sink } = ask(goldens[0], { n: 4 });
      const longest = goldens.toSorted((a, b) => b.tokenIds.length - a.tokenIds.length)[0];
      const { sink: beside } = ask(longest, {});
      for (let step = 0; step < 3; step++) await engine.step();
      assert.equal(engine.stats().running, 5);
      sink.cancelled = true;
      await engine.step();
      assert.equal(engine.stats().running, 1);
      await runToEnd(engine);
      assert.deepEqual(sink.codes, ['ABORTED']);
      assert.deepEqual(beside.tokenIds, longest?.tokenIds);
    });

    it('a consumer without credit gets all of each later', async () => {
      const { sink } = ask(goldens[0], { n: 2 });
      sink.credit = 1;
      await runToEnd(engine);
      assert.equal(sink.settled, false);
      sink.credit = Number.POSITIVE_INFINITY;
      sink.wake();
      assert.deepEqual(answersOf(sink), [goldens[0]?.tokenIds, goldens[0]?.tokenIds]);
    });
  });
}

describe('admission of several answers', () => {
  it('is whole: requests of many and of few all come to their end', async () => {
    const engine = await groupQueryEngine({ maxRunning: 4, maxWaiting: 5 });
    const sinks: RecordingSink[] = [];
    let most = 0;
    const callers = [3, 4, 1, 2, 3, 4, 1].map(async (n) => {
      await engine.roomToSubmit(n);
      const sink = new RecordingSink();
      sinks.push(sink);
      engine.submit({ envelope: envelope([1, 2, 3, n], { n, maxTokens: 4 }), images: [] }, sink);
    });
    await Promise.resolve();
    while (sinks.length < callers.length || engine.hasWork) {
      await engine.step();
      most = Math.max(most, engine.stats().running);
      await new Promise(setImmediate);
    }
    await Promise.all(callers);
    assert.deepEqual(
      sinks.map((sink) => sink.summary.choices.length),
      [3, 4, 1, 2, 3, 4, 1],
    );
    assert.equal(most, 4);
    await engine.dispose();
  });

  it('counts the memory of all of them', async () => {
    const engine = await groupQueryEngine({ maxRunning: 8, kvTokens: 96 });
    const ask = (n: number) => {
      const sink = new RecordingSink();
      engine.submit({ envelope: envelope([1, 2, 3], { n, maxTokens: 20 }), images: [] }, sink);
      return sink;
    };
    const [two, other] = [ask(2), ask(2)];
    await engine.step();
    assert.deepEqual(engine.load, { admitted: 2, waiting: 2 });
    const refused = ask(4);
    assert.deepEqual(refused.codes, ['KV_MEMORY_EXCEEDED']);
    assert.match(String(refused.errors[0]), /4 answers.*fewer answers/s);
    await runToEnd(engine);
    assert.deepEqual(
      [two, other].map((sink) => sink.summary.choices.length),
      [2, 2],
    );
    await engine.dispose();
  });

  it('refuses more answers than a batch has rows, and says how many it has', async () => {
    const engine = await groupQueryEngine({ maxRunning: 2 });
    const sink = new RecordingSink();
    engine.submit({ envelope: envelope([1], { n: 3 }), images: [] }, sink);
    assert.deepEqual(sink.codes, ['TOO_MANY_CHOICES']);
    assert.match(String(sink.errors[0]), /^InputError.*n: .*2/s);
    await engine.dispose();
  });
});
