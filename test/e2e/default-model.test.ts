import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHeldOut, SKILLS } from '../../scripts/eval/held-out.ts';
import { score } from '../../scripts/eval/score.ts';
import { MODES, Troupe } from '../../src/index.ts';
import { defaultGoldenMessages, defaultGoldens } from '../support/default-golden.ts';

const ITEMS = 12;
/** Low enough for a sample of this size; `npm run eval` measures. */
const RIGHT_AT_LEAST = 10;

describe('the embedded model', () => {
  for (const mode of MODES) {
    it(`gives PyTorch's answers, token for token, in ${mode} mode`, async () => {
      await using troupe = await Troupe.start({ mode });
      const answers = await Promise.all(
        defaultGoldens.map((one) => troupe.chat({ messages: defaultGoldenMessages(one) })),
      );
      for (const [index, { tokenIds, text }] of answers.entries()) {
        const one = defaultGoldens[index];
        assert.deepEqual(tokenIds, one?.tokenIds, `${one?.images}: ${one?.question}`);
        assert.equal(text, one?.greedy);
      }
    });
  }

  for (const [dtype, layout] of [
    ['fp32', 'picture-text'],
    ['q4', 'helpful-text-picture'],
  ] as const) {
    it(`answers held-out questions of every skill, in ${dtype}, laid out as ${layout}`, async () => {
      await using troupe = await Troupe.start({ dtype });
      for (const [skill, items] of await readHeldOut(SKILLS, ITEMS)) {
        const right = (await score(troupe, items, [layout], () => {})).get(layout)?.right ?? 0;
        assert(right >= RIGHT_AT_LEAST, `${skill}: ${right} of ${items.length}`);
      }
    });
  }
});
