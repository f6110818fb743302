import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ResolvedSampling, TokenLogprob } from '../../../actors/generation.ts';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { groupQueryEngine } from './support/group-query.ts';
import { type DecoderKind, type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { PromptHelper } from './support/prompt-helper.ts';
import { rawLogprobs } from './support/raw-logits.ts';
import { askTokens, envelope, question, RecordingSink, runToEnd } from './support/requests.ts';

const LOGPROBS = { logprobs: true, topLogprobs: 3 };

function logprobsOf(sink: RecordingSink): TokenLogprob[] {
  return sink.chunks.flatMap(({ logprobs }) => logprobs ?? []);
}

for (const kind of ['plain', 'rewritten'] satisfies DecoderKind[]) {
  describe(`logprobs of a ${kind} decoder`, () => {
    let goldens: EncodedGolden[];
    let engine: PdEngine;
    before(async () => {
      goldens = (await encodedGoldens()).slice(0, 4);
      engine = await pilotEngine({}, kind);
    });
    after(() => engine.dispose());

    async function asked(golden: EncodedGolden | undefined, sampling: Partial<ResolvedSampling>) {
      assert.ok(golden);
      const sink = new RecordingSink();
      engine.submit(question(golden, sampling), sink);
      await runToEnd(engine);
      return sink;
    }

    it('are those of the model’s own graphs, run by themselves', async () => {
      const [golden] = goldens;
      assert.ok(golden);
      const sink = await asked(golden, LOGPROBS);
      assert.deepEqual(sink.tokenIds, golden.tokenIds);
      const reference = await rawLogprobs(golden, golden.tokenIds);
      const given = logprobsOf(sink);
      assert.equal(given.length, reference.length);
      for (const [place, { id, logprob, top }] of given.entries()) {
        const expected = reference[place] ?? [];
        assert.equal(id, golden.tokenIds[place]);
        assert.ok(Math.abs(logprob - (expected[id] ?? 0)) < 1e-4);
        const likeliest = expected.map((value, token) => [value, token] as const).sort(([a], [b]) => b - a);
        assert.deepEqual(
          top.map((one) => one.id),
          likeliest.slice(0, 3).map(([, token]) => token),
        );
        for (const one of top) assert.ok(Math.abs(one.logprob - (expected[one.id] ?? 0)) < 1e-4);
      }
    });

    it('come for the requests of a batch that ask, and change no answer', async () => {
      const sinks = goldens.map(() => new RecordingSink());
      for (const [index, golden] of goldens.entries()) {
        engine.submit(question(golden, index % 2 === 0 ? LOGPROBS : {}), sinks[index] ?? new RecordingSink());
        await engine.step();
      }
      await runToEnd(engine);
      for (const [index, sink] of sinks.entries()) {
        assert.deepEqual(sink.tokenIds, goldens[index]?.tokenIds);
        assert.equal(logprobsOf(sink).length, index % 2 === 0 ? sink.tokenIds.length : 0);
      }
    });

    it('are raw, whatever temperature, penalties and bias make of the logits', async () => {
      const [golden] = goldens;
      const plain = logprobsOf(await asked(golden, { ...LOGPROBS, maxTokens: 1 }));
      const changed = logprobsOf(
        await asked(golden, {
          ...LOGPROBS,
          maxTokens: 1,
          temperature: 1,
          repetitionPenalty: 1.5,
          seed: 3,
          logitBias: { 40: 60 },
        }),
      );
      assert.equal(changed[0]?.id, 40);
      assert.ok((changed[0]?.logprob ?? 0) < -5);
      assert.deepEqual(changed[0]?.top, plain[0]?.top);
    });

    it('a bias of -100 forbids a token, one of 100 forces it', async () => {
      const [golden] = goldens;
      const [likeliest, second] =
        logprobsOf(await asked(golden, { ...LOGPROBS, maxTokens: 1 }))[0]?.top ?? [];
      assert.ok(likeliest && second);
      const forbidden = await asked(golden, { maxTokens: 1, logitBias: { [likeliest.id]: -100 } });
      assert.deepEqual(forbidden.tokenIds, [second.id]);
      const forced = await asked(golden, { maxTokens: 2, logitBias: { 50: 100 } });
      assert.deepEqual(forced.tokenIds, [50, 50]);
    });

    it('their bytes are the text, also where a stop string holds tokens back', async () => {
      const golden = goldens.find(({ greedy }) => greedy.length > 12);
      assert.ok(golden);
      const stop = [golden.greedy.slice(6, 10), `${golden.greedy.slice(1, 5)}¡`];
      for (const sampling of [LOGPROBS, { ...LOGPROBS, stop }]) {
        const sink = await asked(golden, sampling);
        assert.ok(sink.chunks.every(({ tokenIds, logprobs }) => logprobs?.length === tokenIds.length));
        const bytes = logprobsOf(sink).flatMap((one) => [...one.bytes]);
        const text = Buffer.from(bytes).toString().trimStart();
        assert.ok(sampling === LOGPROBS ? text === sink.text : text.startsWith(sink.text));
      }
    });
  });
}

it('logprobs of a prompt that another actor runs are those of one that is run here', async () => {
  const helper = new PromptHelper();
  await helper.finishAll();
  const answers: TokenLogprob[][] = [];
  for (const help of [undefined, helper.help]) {
    const engine = await groupQueryEngine(help === undefined ? {} : { help });
    const reader = askTokens(engine, 4, 40);
    for (let step = 0; step < 4; step++) await engine.step();
    const sink = new RecordingSink();
    const prompt = Array.from({ length: 30 }, (_, i) => i);
    engine.submit({ envelope: envelope(prompt, { ...LOGPROBS, maxTokens: 3 }), images: [] }, sink);
    await runToEnd(engine);
    assert.equal(reader.tokenIds.length, 40);
    await engine.dispose();
    answers.push(logprobsOf(sink));
  }
  assert.ok(helper.parts.length > 0);
  const [here, there] = answers;
  assert.equal(here?.length, 3);
  for (const [place, one] of (here ?? []).entries()) {
    assert.equal(there?.[place]?.id, one.id);
    assert.ok(Math.abs((there?.[place]?.logprob ?? 0) - one.logprob) < 1e-4);
  }
});
