/** Golden answers of a family with vision, prefill and decode on the GPU. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Troupe } from '../../src/index.ts';
import {
  difference,
  type FamilyGolden,
  type FamilyModelFolder,
  familyModel,
  goldensOf,
  messagesOf,
  moreGoldensOf,
} from '../families/support/family-goldens.ts';

/** Fewer than the goldens have: each token is a step, and a driver that emulates a GPU takes its time for one. */
const TOKENS = 3;

/** In parts of 31 tokens, as on such a driver, longer prompts take minutes. */
const PROMPT_TOKENS = 220;

const KINDS = { 'text alone': [0, 0], 'one image': [1, 1], 'several images': [2, 9] } as const;
/** Of each kind: asked alone, and all together. */
const OF_A_KIND = 1;

export interface FamilyAnswersOptions {
  /** Default all that there are. */
  readonly goldens?: readonly FamilyGolden[];
  /** Changes the model's folder before it is opened. */
  readonly change?: (path: string) => Promise<void>;
}

export function familyAnswers(family: string, { change, goldens }: FamilyAnswersOptions = {}): void {
  const asked = someOfEachKind(family, OF_A_KIND, goldens);

  describe(`the golden answers of ${family} on WebGPU`, () => {
    let model: FamilyModelFolder;
    let troupe: Troupe;
    before(async () => {
      model = await familyModel(family);
      await change?.(model.path);
      troupe = await Troupe.start({ model: model.path, device: 'webgpu' });
    });
    after(async () => {
      await troupe?.stop();
      await rm(model.path, { recursive: true });
    });

    it('come out alone, with an image', async () => {
      const alone = asked.find(({ kind }) => kind === 'one image');
      assert(alone !== undefined);
      await assertGolden(troupe, model, alone.golden);
    });

    it('come out together, and leave no buffer behind', async () => {
      await Promise.all(asked.map(({ golden }) => assertGolden(troupe, model, golden)));
      assert.equal((await troupe.stats()).gpu?.liveBuffers, 0);
    });
  });
}

export function someOfEachKind(
  family: string,
  count: number,
  goldens: readonly FamilyGolden[] = [...goldensOf(family), ...moreGoldensOf(family)],
): { readonly kind: string; readonly golden: FamilyGolden }[] {
  return Object.entries(KINDS).flatMap(([kind, [least, most]]) => {
    const found = goldens.filter(
      ({ images, promptIds }) =>
        images.length >= least && images.length <= most && promptIds.length <= PROMPT_TOKENS,
    );
    return found.slice(0, count).map((golden) => ({ kind, golden }));
  });
}

/** The first tokens of a golden answer. */
export async function assertGolden(
  troupe: Troupe,
  { heldBack }: FamilyModelFolder,
  golden: FamilyGolden,
): Promise<void> {
  const messages = messagesOf(golden);
  const { tokenIds } = await troupe.chat({ messages, maxTokens: TOKENS, temperature: 0 });
  const expected = { ...golden, greedy: golden.greedy.slice(0, TOKENS) };
  assert.equal(difference(expected, tokenIds, heldBack), undefined);
}
