import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TokenMatcher } from '../../../actors/constraint/token-matcher.ts';
import type { ResolvedSampling } from '../../../actors/generation.ts';
import { TokenDecoder } from '../../../actors/model/token-decoder.ts';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { ListMatcher } from './support/list-matcher.ts';
import {
  type DecoderKind,
  type EncodedGolden,
  encodedGoldens,
  pilotDirectory,
  pilotEngine,
} from './support/pilot.ts';
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

    for (const method of ['accept', 'mask', 'forced'] as const) {
      it(`a matcher that fails at ${method} fails its request alone`, async () => {
        const broken = () => {
          let calls = 0;
          const matcher = lists();
          const asked = matcher[method].bind(matcher) as (token: number) => never; // of the three, one at a time
          return Object.assign(matcher, {
            [method](token: number) {
              calls += 1;
              if (calls > 1) throw new TypeError('too hard');
              return asked(token);
            },
          });
        };
        const [failed, beside] = [ask(goldens[0], {}, broken), ask(goldens[1], {})];
        await runToEnd(engine);
        assert.match(String(failed.errors[0]), /too hard/);
        assert.deepEqual(beside.tokenIds, goldens[1]?.tokenIds);
      });
    }
  });
}

/** Begins like this, and goes on in any way. */
function beginning(ids: readonly number[]): TokenMatcher {
  let taken = 0;
  const all = new Uint32Array(Math.ceil(VOCABULARY / 32)).fill(0xffffffff);
  return { mask: () => all, accept: () => void taken++, forced: () => ids.slice(taken) };
}

/** Two forced passages with a choice between and behind them. */
const FORKED = [40, 50].flatMap((fork) =>
  [60, 61, 62].map((end) => [20, 21, 22, 23, 24, fork, 30, 31, 32, 33, 34, 35, end, END]),
);

describe('tokens without an alternative', () => {
  let goldens: EncodedGolden[];
  before(async () => {
    goldens = (await encodedGoldens()).filter(({ tokenIds }) => tokenIds.length > 5).slice(0, 3);
  });

  /** A constrained answer between two that are not. */
  async function answers(kind: DecoderKind, forces: boolean, sampling: Partial<ResolvedSampling>) {
    const engine = await pilotEngine({}, kind);
    const sinks = goldens.map((golden, index) => {
      const sink = new RecordingSink();
      const newMatcher = () => new ListMatcher(FORKED, VOCABULARY, forces);
      engine.submit(index === 1 ? { ...question(golden, sampling), newMatcher } : question(golden), sink);
      return sink;
    });
    await runToEnd(engine);
    const { forcedTokens, decodeSteps } = engine.stats();
    await engine.dispose();
    const [before, bound, behind] = sinks.map(({ tokenIds }) => tokenIds);
    assert.deepEqual([before, behind], [goldens[0]?.tokenIds, goldens[2]?.tokenIds]);
    return { bound, forcedTokens, decodeSteps };
  }

  for (const [what, sampling] of [
    ['greedy', {}],
    ['drawn', { temperature: 2, seed: 4 }],
    ['penalized', { temperature: 1, frequencyPenalty: 1, seed: 5 }],
  ] as const) {
    it(`${what}: run several at once they are followed by what follows them one by one`, async () => {
      const single = await answers('rewritten', false, sampling);
      const together = await answers('rewritten', true, sampling);
      assert.ok(FORKED.some((list) => list.slice(0, -1).join() === single.bound?.join()));
      assert.deepEqual(together.bound, single.bound);
      assert.equal(single.forcedTokens, 0);
      assert.ok(together.forcedTokens >= 8, `${together.forcedTokens}`);
    });
  }

  it('leave keys and values behind from which the model goes on as PyTorch does', async () => {
    const engine = await pilotEngine();
    const sinks = goldens.map((golden) => {
      const sink = new RecordingSink();
      const newMatcher = () => beginning(golden.tokenIds.slice(0, 4));
      engine.submit({ ...question(golden), newMatcher }, sink);
      return sink;
    });
    await runToEnd(engine);
    assert.deepEqual(
      sinks.map(({ tokenIds }) => tokenIds),
      goldens.map(({ tokenIds }) => tokenIds),
    );
    assert.ok(engine.stats().forcedTokens > 0);
    await engine.dispose();
  });

  it('are taken one by one where the decoder cannot run several, with the same answer', async () => {
    const plain = await answers('plain', true, {});
    assert.equal(plain.forcedTokens, 0);
    assert.deepEqual(plain.bound, (await answers('rewritten', true, {})).bound);
  });

  it('come one by one where it is asked how likely each was', async () => {
    const asked = await answers('rewritten', true, { logprobs: true });
    assert.equal(asked.forcedTokens, 0);
    assert.deepEqual(asked.bound, (await answers('rewritten', true, {})).bound);
  });

  it('end with maxTokens and with a stop string, as others do', async () => {
    for (const maxTokens of [1, 3, 7]) {
      assert.equal((await answers('rewritten', true, { maxTokens })).bound?.length, maxTokens);
    }
    const { bound } = await answers('rewritten', true, {});
    const tokens = await TokenDecoder.load(await pilotDirectory());
    const text = tokens.decode(bound ?? []);
    const stop = [text.slice(4, 6)];
    assert.ok(((await answers('rewritten', true, { stop })).bound?.length ?? 0) < (bound?.length ?? 0));
  });
});
