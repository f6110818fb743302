/** Positions of three axes, a sequence's own shift and deepstack on every way through the engine. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ModelDirectory } from '../../../../actors/model/model-directory.ts';
import { type EngineLoadOptions, PdEngine } from '../../../../actors/pd/engine/engine.ts';
import type { EngineRequest } from '../../../../actors/pd/engine-request.ts';
import { RecordingSink, runToEnd } from '../../pd/support/requests.ts';
import { endlessModel, firmCases, type GoldenCase, PrefillBeside, requestMaker } from './support/engine.ts';

// Between them all that the family has: Qwen2.5-VL's decoder is Qwen2-VL's.
for (const family of ['qwen2_vl', 'qwen3_vl']) {
  describe(`${family} answers as the reference`, () => {
    let directory: ModelDirectory;
    let cases: GoldenCase[];
    let requests: () => EngineRequest[];
    before(async () => {
      directory = await endlessModel(family);
      cases = await firmCases(family);
      requests = await requestMaker(directory, cases);
    });

    const engineOf = (options: Partial<EngineLoadOptions> = {}): Promise<PdEngine> =>
      PdEngine.load(directory, {
        threads: 1,
        maxRunning: 16,
        maxWaiting: 64,
        prefixCacheBytes: 0,
        ...options,
      });

    const submit = (engine: PdEngine, request: EngineRequest | undefined): RecordingSink => {
      assert.ok(request);
      const sink = new RecordingSink();
      engine.submit(request, sink);
      return sink;
    };

    const checkAll = (sinks: readonly RecordingSink[]): void => {
      for (const [index, { case: name, greedy }] of cases.entries()) {
        assert.deepEqual(sinks[index]?.tokenIds, greedy, name);
      }
    };

    it('one after the other', async () => {
      const engine = await engineOf();
      const sinks: RecordingSink[] = [];
      for (const request of requests()) {
        sinks.push(submit(engine, request));
        await runToEnd(engine);
      }
      checkAll(sinks);
      await engine.dispose();
    });

    it('all at once, prompts of other lengths in one run', async () => {
      const engine = await engineOf();
      const sinks = requests().map((request) => submit(engine, request));
      await runToEnd(engine);
      checkAll(sinks);
      await engine.dispose();
    });

    for (const part of [1, 7, 40]) {
      it(`with prompts in parts of ${part} tokens, which cut images`, async () => {
        const engine = await engineOf({ prefillTokensPerStep: part });
        const sinks = requests().map((request) => submit(engine, request));
        await runToEnd(engine);
        checkAll(sinks);
        await engine.dispose();
      });
    }

    it('with a decoder that was not rewritten', async () => {
      const { decoder } = directory.graphs;
      const asItCame = { path: decoder.path, dtype: decoder.dtype, signature: decoder.signature };
      const plain = { ...directory, graphs: { ...directory.graphs, decoder: asItCame } };
      const engine = await PdEngine.load(plain, { threads: 1, maxRunning: 16, maxWaiting: 64 });
      const sinks = requests().map((request) => submit(engine, request));
      await runToEnd(engine);
      checkAll(sinks);
      await engine.dispose();
    });

    it('again, from the prefix cache', async () => {
      const engine = await engineOf({ prefixCacheBytes: 64 * 1024 * 1024 });
      for (const request of requests()) submit(engine, request);
      await runToEnd(engine);
      const sinks = requests().map((request) => submit(engine, request));
      await runToEnd(engine);
      checkAll(sinks);
      const withImages = sinks.filter((_, index) => (cases[index]?.images.length ?? 0) > 0);
      for (const { summary } of withImages) assert.ok(summary.usage.cachedTokens >= 16);
      await engine.dispose();
    });

    describe('with prompts that another actor runs', () => {
      let beside: PrefillBeside;
      before(async () => {
        beside = await PrefillBeside.load(directory);
      });
      after(() => beside.release());

      /** A reader of text, and the case beside it whose prompt is handed over. */
      const handedOver = async (name: string): Promise<RecordingSink> => {
        const engine = await engineOf({ prefill: beside.help });
        const [reader, index] = ['text only', name].map((one) =>
          cases.findIndex((each) => each.case === one),
        );
        const reading = submit(engine, requests()[reader ?? -1]);
        while (reading.tokenIds.length < 2) await engine.step();
        const sink = submit(engine, requests()[index ?? -1]);
        await runToEnd(engine);
        assert.deepEqual(reading.tokenIds, cases[reader ?? -1]?.greedy);
        assert.deepEqual(sink.tokenIds, cases[index ?? -1]?.greedy);
        await engine.dispose();
        return sink;
      };

      for (const name of ['two images', 'long prompt']) {
        it(name, async () => {
          const before = beside.parts.length;
          await handedOver(name);
          assert.ok(beside.parts.length > before);
        });
      }

      it('and fails at, so that they are run anew here', async () => {
        beside.failures = 1;
        await handedOver('two images');
        assert.equal(beside.failures, 0);
      });
    });
  });
}
