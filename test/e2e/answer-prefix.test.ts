/** An answer that goes on from tokens that exist already is the answer that would have been given at once. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ChatDelta, type ChatOptions, type ChatResult, Troupe } from '../../src/index.ts';
import { golden, goldenMessages } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

const messages = goldenMessages(golden(0));
const HOT = { temperature: 1.2, topP: 0.95, maxTokens: 24 } as const;

const REQUESTS: Readonly<Record<string, ChatOptions>> = {
  greedy: { messages },
  seeded: { messages, ...HOT, seed: 7 },
  'seeded, with penalties': {
    messages,
    ...{ ...HOT, seed: 11, repetitionPenalty: 1.3, frequencyPenalty: 0.7, presencePenalty: 0.4 },
  },
  'greedy, with penalties': { messages, repetitionPenalty: 1.4, frequencyPenalty: 1, maxTokens: 20 },
  'cut by its limit': { messages, maxTokens: 5 },
  'ended by a stop string': { messages, stop: [' tan'] },
};

describe('answerPrefix', () => {
  let troupe: Troupe;

  before(async () => {
    troupe = await Troupe.start({ model: PILOT_MODEL });
  });
  after(() => troupe.stop());

  for (const [name, request] of Object.entries(REQUESTS)) {
    it(`goes on from any token of an answer that is ${name}`, async () => {
      const whole = await troupe.chat(request);
      assert(whole.tokenIds.length > 3);
      const cuts = Array.from({ length: whole.tokenIds.length }, (_, i) => i + 1);
      const continued = await Promise.all(
        cuts.map((cut) => troupe.chat({ ...request, answerPrefix: whole.tokenIds.slice(0, cut) })),
      );
      const said = ({ text, tokenIds, finishReason, usage: { cachedTokens: _, ...usage } }: ChatResult) => ({
        ...{ text, tokenIds, finishReason, usage },
      });
      for (const [i, one] of continued.entries())
        assert.deepEqual(said(one), said(whole), `after ${cuts[i]}`);
    });
  }

  it('streams what exists already before what is new', async () => {
    const whole = await troupe.chat({ messages });
    const answerPrefix = whole.tokenIds.slice(0, 4);
    const stream = troupe.stream({ messages, answerPrefix });
    const deltas: ChatDelta[] = [];
    for await (const delta of stream) deltas.push(delta);
    assert.deepEqual(deltas[0]?.tokenIds.slice(0, 4), answerPrefix);
    assert.equal(deltas.map(({ text }) => text).join(''), whole.text);
  });

  for (const [what, more] of Object.entries({
    'several answers': { n: 2 },
    logprobs: { logprobs: true },
    'a constraint': { constraint: { type: 'regex', pattern: '[a-z]+' } },
    tools: { tools: [{ name: 'look', parameters: { type: 'object' } }] },
  } satisfies Record<string, Partial<ChatOptions>>)) {
    it(`refuses to go on beside ${what}`, async () => {
      const request = { messages, answerPrefix: [5], ...more } as ChatOptions;
      await assert.rejects(troupe.chat(request), { code: 'INVALID_ANSWER_PREFIX' });
    });
  }

  for (const [what, answerPrefix] of Object.entries({
    'no list': 'abc',
    'no token': [1, 2.5],
    'a token that the model does not have': [1_000_000],
    'the token of images': [3],
  })) {
    it(`refuses ${what}`, async () => {
      const request = { messages, answerPrefix: answerPrefix as number[] };
      await assert.rejects(troupe.chat(request), { code: 'INVALID_ANSWER_PREFIX' });
    });
  }
});
