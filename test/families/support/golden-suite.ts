import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { type ChatResult, MODES, Troupe, type TroupeOptions } from '../../../src/index.ts';
import {
  difference,
  type FamilyGolden,
  type FamilyModelFolder,
  familyModel,
  goldensOf,
  messagesOf,
  moreGoldensOf,
} from './family-goldens.ts';

const AT_ONCE = 16;

export interface GoldenSuiteOptions {
  /** Default all that there are. */
  readonly goldens?: readonly FamilyGolden[];
  /** Changes the model's folder before it is opened. */
  readonly change?: (path: string) => Promise<void>;
  /** Whether prompts can be run in parts and found in the prefix cache. Default true. */
  readonly cut?: boolean;
}

/** The golden answers of one family in every way in which the engine can come to them. */
export function goldenSuite(
  family: string,
  {
    change,
    cut = true,
    goldens: all = [...goldensOf(family), ...moreGoldensOf(family)],
  }: GoldenSuiteOptions = {},
): void {
  /** For ways that need no more. */
  const goldens = all.slice(0, 8);

  describe(`the golden answers of ${family}`, () => {
    let model: FamilyModelFolder;
    before(async () => {
      model = await familyModel(family);
      await change?.(model.path);
    });
    after(() => rm(model.path, { recursive: true }));

    const start = ({ pd, ...options }: TroupeOptions) =>
      Troupe.start({ ...options, pd: { count: 1, ...pd }, model: model.path });

    for (const mode of MODES) {
      describe(`in ${mode} mode`, () => {
        let troupe: Troupe;
        before(async () => {
          troupe = await start({ mode });
        });
        after(() => troupe.stop());

        it('come out one by one, with the reference’s number of prompt tokens', async () => {
          for (const golden of all) {
            const result = await ask(troupe, golden);
            assert.equal(result.usage.promptTokens, golden.promptIds.length, golden.name);
            assertGolden(golden, result, model);
          }
        });

        it('come out again from the caches', async () => {
          const decodes = await decodesOf(troupe);
          let cached = 0;
          for (const golden of goldens) {
            const result = await ask(troupe, golden);
            cached += result.usage.cachedTokens;
            assertGolden(golden, result, model);
          }
          assert.equal(cached > 0, cut);
          assert.equal(await decodesOf(troupe), decodes, 'no image is decoded again');
        });

        it(`come out ${AT_ONCE} at a time`, async () => {
          await inCrowds(all, async (golden) => assertGolden(golden, await ask(troupe, golden), model));
        });
      });
    }

    it('come out of prompts in parts', { skip: !cut && 'its prompts cannot be cut' }, async () => {
      const pd = { prefillTokensPerStep: 7, prefixCacheBytes: 0 };
      await using troupe = await start({ mode: 'aggregated', pd });
      for (const golden of goldens) assertGolden(golden, await ask(troupe, golden), model);
      const { actors } = await troupe.stats();
      const runs = actors.reduce((sum, { stats }) => sum + Number(stats?.prefillRuns ?? 0), 0);
      assert(runs > 2 * goldens.length, `${runs} runs`);
    });

    for (const mode of MODES) {
      it(`come out beside a prefill actor, in ${mode} mode`, async () => {
        const pd = { maxRunning: 4, prefixCacheBytes: 0 };
        await using troupe = await start({ mode, prefill: { count: 1 }, pd });
        await inCrowds(all, async (golden) => assertGolden(golden, await ask(troupe, golden), model));
      });
    }
  });
}

async function ask(troupe: Troupe, golden: FamilyGolden): Promise<ChatResult> {
  const stream = troupe.stream({
    messages: messagesOf(golden),
    maxTokens: golden.greedy.length,
    temperature: 0,
  });
  for await (const _delta of stream) {
    // Read as it comes: only then has it a pace to keep.
  }
  return await stream.result;
}

async function inCrowds(
  goldens: readonly FamilyGolden[],
  run: (golden: FamilyGolden) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < goldens.length; from += AT_ONCE) {
    await Promise.all(goldens.slice(from, from + AT_ONCE).map(run));
  }
}

function assertGolden(golden: FamilyGolden, { tokenIds }: ChatResult, { heldBack }: FamilyModelFolder): void {
  assert.equal(difference(golden, tokenIds, heldBack), undefined);
}

async function decodesOf(troupe: Troupe): Promise<number> {
  const { actors } = await troupe.stats();
  return actors.reduce((sum, { stats }) => sum + Number(stats?.decodes ?? 0), 0);
}
