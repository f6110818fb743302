import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ResolvedSampling } from '../../../actors/generation.ts';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { ListMatcher } from './support/list-matcher.ts';
import { type DecoderKind, type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { question, RecordingSink, runToEnd } from './support/requests.ts';

const VOCABULARY = 459;
/** Ends an answer of the pilot model. */
const END = 6;
const LISTS = [
  [40, 41, 42, 43, 44, END],
  [50, 51, END],
  [300, 301, 302, 303, 304, 305, 306, END],
];

/** The tokens of an answer, where one of the lists is all of it. */
const ANSWERS = LISTS.map((list) => list.slice(0, -1).join());

for (const kind of ['plain', 'rewritten'] satisfies DecoderKind[]) {
  describe(`answers that are constrained, ${kind} decoder`, () => {
    let goldens: EncodedGolden[];
    let engine: PdEngine;
    before(async () => {
      goldens = (await encodedGoldens()).slice(0, 6);
      engine = await pilotEngine({}, kind);
    });
    after(() => engine.dispose());

    function ask(
      golden: EncodedGolden | undefined,
      sampling: Partial<ResolvedSampling>,
      matcher?: () => ListMatcher,
    ) {
      assert.ok(golden);
      const sink = new RecordingSink();
      const request = question(golden, sampling);
      engine.submit(matcher === undefined ? request : { ...request, newMatcher: matcher }, sink);
      return sink;
    }
    const lists = (forces = false) => new ListMatcher(LISTS, VOCABULARY, forces);

    for (const [what, sampling] of [
      ['greedy', {}],
      ['drawn', { temperature: 2, seed: 5 }],
      ['drawn from few', { temperature: 1.5, topK: 3, topP: 0.9, minP: 0.1, seed: 6 }],
      ['penalized', { repetitionPenalty: 2, presencePenalty: 1 }],
      ['against a bias', { logitBias: { 40: -100, 50: -100, 300: -100, 7: 100 } }],
    ] as const) {
      it(`${what}: the answer keeps to its constraint, and ends where that does`, async () => {
        const sink = ask(goldens[0], sampling, lists);
        await runToEnd(engine);
        assert.ok(ANSWERS.includes(sink.tokenIds.join()), sink.tokenIds.join());
        assert.equal(sink.summary.choices[0].finishReason, 'stop');
      });
    }

    it('greedy takes the likeliest of what is allowed', async () => {
      const open = ask(goldens[0], { logprobs: true, topLogprobs: 20, maxTokens: 1 });
      await runToEnd(engine);
      const top = open.chunks[0]?.logprobs?.[0]?.top.map(({ id }) => id) ?? [];
      const allowed = [top[17], top[5], top[9]].map((id) => [id ?? 0, END]);
      const sink = ask(goldens[0], {}, () => new ListMatcher(allowed, VOCABULARY));
      await runToEnd(engine);
      assert.deepEqual(sink.tokenIds, [top[5]]);
    });

    it('a constraint that allows what the model says changes nothing', async () => {
      const sinks = goldens.map((golden) =>
        ask(golden, {}, () => new ListMatcher([[...golden.tokenIds, END], ...LISTS], VOCABULARY)),
      );
      await runToEnd(engine);
      assert.deepEqual(
        sinks.map(({ tokenIds }) => tokenIds),
        goldens.map(({ tokenIds }) => tokenIds),
      );
    });

    it('those beside it in the batch give what they give alone', async () => {
      const drawn = { temperature: 1.5, topP: 0.98, maxTokens: 24, seed: 3 };
      const alone = ask(goldens[3], drawn);
      await runToEnd(engine);
      const constrained = [0, 1, 2].map((index) => ask(goldens[index], { temperature: index }, lists));
      await engine.step();
      const free = [ask(goldens[3], drawn), ask(goldens[4], {}), ask(goldens[5], { n: 2 })];
      await runToEnd(engine);
      assert.deepEqual(free[0]?.tokenIds, alone.tokenIds);
      assert.deepEqual(free[1]?.tokenIds, goldens[4]?.tokenIds);
      assert.equal(free[2]?.tokenIds.length, 2 * (goldens[5]?.tokenIds.length ?? 0));
      for (const sink of constrained) assert.ok(ANSWERS.includes(sink.tokenIds.join()));
    });

    it('each of several answers has a place of its own in the constraint', async () => {
      const sink = ask(goldens[0], { n: 4, temperature: 2, seed: 1 }, lists);
      await runToEnd(engine);
      const answers = [0, 1, 2, 3].map((index) =>
        sink.chunks.flatMap((chunk) => (chunk.index === index ? [...chunk.tokenIds] : [])).join(),
      );
      for (const answer of answers) assert.ok(ANSWERS.includes(answer), answer);
      assert.ok(new Set(answers).size > 1);
    });

    it('maxTokens may cut it', async () => {
      const sink = ask(goldens[0], { maxTokens: 1 }, lists);
      await runToEnd(engine);
      assert.equal(sink.summary.choices[0].finishReason, 'length');
      assert.ok(LISTS.some(([first]) => sink.tokenIds.join() === String(first)));
    });

    it('logprobs stay the model’s own', async () => {
      const sampling = { logprobs: true, topLogprobs: 2, maxTokens: 1 };
      const free = ask(goldens[0], sampling);
      const bound = ask(goldens[0], sampling, lists);
      await runToEnd(engine);
      assert.deepEqual(bound.chunks[0]?.logprobs?.[0]?.top, free.chunks[0]?.logprobs?.[0]?.top);
      assert.ok((bound.chunks[0]?.logprobs?.[0]?.logprob ?? 0) < -1);
    });

    it('a matcher that refuses a token fails its request alone', async () => {
      const broken = () =>
        Object.assign(lists(), {
          accept() {
            throw new TypeError('not that one');
          },
        });
      const [failed, beside] = [ask(goldens[0], {}, broken), ask(goldens[1], {})];
      await runToEnd(engine);
      assert.match(String(failed.errors[0]), /not that one/);
      assert.deepEqual(beside.tokenIds, goldens[1]?.tokenIds);
    });
  });
}
