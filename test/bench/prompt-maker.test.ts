import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { openEmbeddedModel } from '../../bench/embedded-model.ts';
import { PromptMaker } from '../../bench/prompt-maker.ts';

describe('PromptMaker', () => {
  let prompts: PromptMaker;
  before(async () => {
    prompts = await PromptMaker.for(await openEmbeddedModel());
  });

  for (const length of [20, 101, 600]) {
    it(`makes a prompt of exactly ${length} tokens`, () => {
      assert.equal(prompts.idsOf(prompts.request(length, 1)).length, length);
    });
  }

  it('makes prompts that differ from their first words on, so that no cache can help', () => {
    const asked = prompts.requests(50, 40, 1).map((request) => prompts.idsOf(request));
    const beginnings = new Set(asked.map((ids) => ids.subarray(0, 16).join()));
    assert.equal(beginnings.size, asked.length);
  });

  it('refuses fewer tokens than the chat template has', () => {
    assert.throws(() => prompts.request(2, 1), RangeError);
  });
});
