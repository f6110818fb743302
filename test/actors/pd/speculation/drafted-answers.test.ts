/** Answers that draft themselves are the answers that do not: whatever is asked of them. Here every draft seems to pay. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ResolvedSampling } from '../../../../actors/generation.ts';
import type { PdEngine } from '../../../../actors/pd/engine/engine.ts';
import { ListMatcher } from '../support/list-matcher.ts';
import { type EncodedGolden, encodedGoldens, pilotEngine } from '../support/pilot.ts';
import { question, RecordingSink, runToEnd } from '../support/requests.ts';
import { ALWAYS_PAYS } from './support/costs.ts';

const VOCABULARY = 512;
const END = 6;
/** So long that n-grams come again. */
const LONG = 40;

describe('answers that draft themselves', () => {
  let goldens: EncodedGolden[];
  let plain: PdEngine;
  let drafting: PdEngine;
  before(async () => {
    goldens = (await encodedGoldens()).slice(0, 16);
    plain = await pilotEngine();
    drafting = await pilotEngine({ speculation: 'auto', costs: ALWAYS_PAYS });
  });
  after(async () => {
    await plain.dispose();
    await drafting.dispose();
  });

  async function ask(
    engine: PdEngine,
    asked: readonly EncodedGolden[],
    sampling: Partial<ResolvedSampling>,
    more: { readonly newMatcher?: () => ListMatcher } = {},
  ): Promise<RecordingSink[]> {
    const sinks = asked.map((golden) => {
      const sink = new RecordingSink();
      engine.submit({ ...question(golden, sampling), ...more }, sink);
      return sink;
    });
    await runToEnd(engine);
    return sinks;
  }

  const said = (sinks: readonly RecordingSink[]) =>
    sinks.map(({ chunks, summary }) =>
      summary.choices.map((end, choice) => {
        const own = chunks.filter(({ index = 0 }) => index === choice);
        const tokenIds = own.flatMap((chunk) => [...chunk.tokenIds]);
        return { text: own.map(({ text }) => text).join(''), tokenIds, end };
      }),
    );

  it('say what PyTorch says, alone', async () => {
    const before = drafting.stats().acceptedDraftTokens;
    for (const golden of [...goldens, ...goldens]) {
      const [sink] = await ask(drafting, [golden], {});
      assert.deepEqual(sink?.tokenIds, golden.tokenIds, golden.image);
    }
    assert.ok(drafting.stats().acceptedDraftTokens > before + 16);
  });

  it('say what PyTorch says, 16 at once', async () => {
    const before = drafting.stats().draftRuns;
    const sinks = await ask(drafting, goldens, {});
    assert.deepEqual(
      sinks.map(({ tokenIds }) => tokenIds),
      goldens.map(({ tokenIds }) => tokenIds),
    );
    assert.ok(drafting.stats().draftRuns > before);
  });

  for (const [what, sampling] of [
    ['drawn', { temperature: 0.7, seed: 4 }],
    ['drawn hot, from a nucleus', { temperature: 1.5, topP: 0.95, topK: 40, seed: 5 }],
    ['penalized', { temperature: 0.8, frequencyPenalty: 1, repetitionPenalty: 1.2, seed: 6 }],
    ['penalized, greedy', { presencePenalty: 0.5, repetitionPenalty: 1.1 }],
    ['biased', { logitBias: { 70: 3, 6: -100 } }],
    ['three of each', { temperature: 1, n: 3, seed: 7 }],
    ['with stop strings', { temperature: 1, seed: 8, stop: ['e', 'is a'] }],
    ['cut short', { maxTokens: 3 }],
  ] as const satisfies readonly (readonly [string, Partial<ResolvedSampling>])[]) {
    it(`${what}, are the same as without: the random numbers are the answer’s own`, async () => {
      const asked = { maxTokens: LONG, ...sampling };
      const before = drafting.stats().draftedTokens;
      for (let turn = 0; turn < 2; turn++) {
        const some = goldens.slice(0, 4);
        assert.deepEqual(said(await ask(drafting, some, asked)), said(await ask(plain, some, asked)));
      }
      if (sampling.maxTokens === undefined) assert.ok(drafting.stats().draftedTokens > before);
    });
  }

  it('come with the logprobs that they have without', async () => {
    const some = goldens.slice(0, 3);
    const asked = { maxTokens: LONG, logprobs: true, topLogprobs: 3 };
    const told = async (engine: PdEngine) =>
      (await ask(engine, some, asked)).map(({ chunks }) => chunks.flatMap(({ logprobs = [] }) => logprobs));
    await told(drafting);
    const before = drafting.stats().acceptedDraftTokens;
    const [drafted, single] = [await told(drafting), await told(plain)];
    assert.ok(drafting.stats().acceptedDraftTokens > before);
    for (const [index, tokens] of drafted.entries()) {
      assert.equal(tokens.length, single[index]?.length);
      for (const [place, { id, logprob, top }] of tokens.entries()) {
        const other = single[index]?.[place];
        assert.equal(id, other?.id);
        // Products of several rows are summed in another order.
        assert.ok(Math.abs(logprob - (other?.logprob ?? 0)) < 1e-3, `${logprob} ${other?.logprob}`);
        assert.equal(top.length, 3);
      }
    }
  });

  it('keep to a constraint, whose forced text goes into their drafts', async () => {
    const lists = [40, 50].flatMap((fork) =>
      [60, 61].map((end) => [20, 21, 22, 23, 24, fork, 30, 31, 32, 33, 34, 35, end, END]),
    );
    const bound = { newMatcher: () => new ListMatcher(lists, VOCABULARY, true) };
    const some = goldens.slice(0, 1);
    const expected = said(await ask(plain, some, {}, bound));
    const before = drafting.stats();
    for (let turn = 0; turn < 4; turn++)
      assert.deepEqual(said(await ask(drafting, some, {}, bound)), expected);
    const { forcedTokens, draftRuns } = drafting.stats();
    assert.ok(forcedTokens > before.forcedTokens && draftRuns > before.draftRuns);
  });

  it('count in usage what was guessed, and in stats the same', async () => {
    const before = drafting.stats();
    const sinks = await ask(drafting, goldens.slice(0, 5), {});
    const sum = (of: 'acceptedDraftTokens' | 'rejectedDraftTokens') =>
      sinks.reduce((total, { summary }) => total + (summary.usage[of] ?? 0), 0);
    const { draftedTokens, acceptedDraftTokens } = drafting.stats();
    assert.ok(sum('acceptedDraftTokens') > 0);
    assert.equal(sum('acceptedDraftTokens'), acceptedDraftTokens - before.acceptedDraftTokens);
    // A token that ends an answer is none of it, nor was it guessed in vain.
    const ends =
      draftedTokens - before.draftedTokens - sum('acceptedDraftTokens') - sum('rejectedDraftTokens');
    assert.ok(ends >= 0 && ends <= sinks.length, `${ends}`);
  });

  it('end at a cancel and at a deadline, and leave the others as they are', async () => {
    const [first, second, third] = goldens;
    assert.ok(first && second && third);
    const [gone, late, stays] = [new RecordingSink(), new RecordingSink(), new RecordingSink()];
    drafting.submit(question(first, { temperature: 2, seed: 99, maxTokens: LONG }), gone);
    drafting.submit(question(second, {}, 0), late);
    drafting.submit(question(third), stays);
    await drafting.step();
    await drafting.step();
    gone.cancelled = true;
    await runToEnd(drafting);
    assert.deepEqual([gone.codes, late.codes], [['ABORTED'], ['DEADLINE_EXCEEDED']]);
    assert.deepEqual(stays.tokenIds, third.tokenIds);
  });

  it('are not drafted where the decoder cannot take back what it has run', async () => {
    const engine = await pilotEngine({ speculation: 'auto', costs: ALWAYS_PAYS }, 'plain');
    const [golden] = goldens;
    assert.ok(golden);
    for (let turn = 0; turn < 2; turn++) {
      const [sink] = await ask(engine, [golden], {});
      assert.deepEqual(sink?.tokenIds, golden.tokenIds);
      assert.equal(sink?.summary.usage.acceptedDraftTokens, undefined);
    }
    assert.equal(engine.stats().draftRuns, 0);
    await engine.dispose();
  });

  it('are not drafted from earlier answers where only their own text counts', async () => {
    const [golden] = goldens;
    assert.ok(golden);
    const accepted = async (speculation: 'own' | 'auto') => {
      const engine = await pilotEngine({ speculation, costs: ALWAYS_PAYS });
      await ask(engine, [golden], {});
      const [again] = await ask(engine, [golden], {});
      await engine.dispose();
      return again?.summary.usage.acceptedDraftTokens ?? 0;
    };
    assert.ok(2 * (await accepted('own')) < (await accepted('auto')));
  });
});
