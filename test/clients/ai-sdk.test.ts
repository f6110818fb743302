import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateObject, generateText, type LanguageModel, type ModelMessage, streamText, tool } from 'ai';
import { z } from 'zod';
import {
  ANSWER,
  KEY,
  MODEL,
  NEXT_QUESTION,
  PICTURE_BASE64,
  PROMPT_TOKENS,
  QUESTION,
  SECOND_TURN,
  type Served,
  SYSTEM,
  serve,
  USER,
} from './support.ts';

const user: ModelMessage = {
  role: 'user',
  content: [
    { type: 'file', mediaType: 'image/png', data: PICTURE_BASE64 },
    { type: 'text', text: QUESTION },
  ],
};
const schema = z.object({ color: z.enum(['red', 'blue']) });
const next: ModelMessage = { role: 'user', content: NEXT_QUESTION };

/** The default provider sends ids in place of an earlier answer unless it is told that nothing is stored. */
const NOT_STORED = { providerOptions: { openai: { store: false } } } as const;

const PROVIDERS: Readonly<Record<string, (baseURL: string) => LanguageModel>> = {
  '@ai-sdk/openai': (baseURL) => createOpenAI({ baseURL, apiKey: KEY })(MODEL),
  '@ai-sdk/openai, .chat()': (baseURL) => createOpenAI({ baseURL, apiKey: KEY }).chat(MODEL),
  '@ai-sdk/openai-compatible': (baseURL) =>
    createOpenAICompatible({ name: 'troupe', baseURL, apiKey: KEY, includeUsage: true })(MODEL),
};

describe('the AI SDK', () => {
  let served: Served;

  before(async () => {
    served = await serve();
  });
  after(() => served.stop());

  for (const [name, modelOf] of Object.entries(PROVIDERS)) {
    it(`generates text about a picture, by ${name}`, async () => {
      const { text, usage } = await generateText({ model: modelOf(served.baseURL), messages: [user] });
      assert.equal(text, ANSWER);
      assert.equal(usage.inputTokens, PROMPT_TOKENS);
    });

    it(`streams, by ${name}`, async () => {
      const { textStream, usage } = streamText({ model: modelOf(served.baseURL), messages: [user] });
      let text = '';
      for await (const piece of textStream) text += piece;
      assert.equal(text, ANSWER);
      assert.equal((await usage).inputTokens, PROMPT_TOKENS);
    });

    it(`goes on with its own messages, by ${name}`, async () => {
      const model = modelOf(served.baseURL);
      const plain = await served.plainly(SECOND_TURN);
      const first = await generateText({ model, messages: [user] });
      const streamed = streamText({ model, messages: [user] });
      for (const said of [first.response.messages, (await streamed.response).messages]) {
        const messages: ModelMessage[] = [user, ...said, next];
        const second = await generateText({ model, messages, ...NOT_STORED });
        assert.equal(second.text, plain.text);
        assert.equal(second.usage.inputTokens, plain.promptTokens);
      }
    });

    it(`gives instructions, by ${name}`, async () => {
      const model = modelOf(served.baseURL);
      const { text, usage } = await generateText({ model, instructions: SYSTEM, messages: [user] });
      const plain = await served.plainly([{ role: 'system', content: SYSTEM }, USER]);
      assert.equal(text, plain.text);
      assert.equal(usage.inputTokens, plain.promptTokens);
    });
  }

  it('is told what to do where its default provider refers to what was not stored', async () => {
    const model = createOpenAI({ baseURL: served.baseURL, apiKey: KEY })(MODEL);
    const first = await generateText({ model, messages: [user] });
    const messages: ModelMessage[] = [user, ...first.response.messages, next];
    await assert.rejects(generateText({ model, messages, maxRetries: 0 }), /input\[1\].*store: false/);
  });

  for (const [name, modelOf] of Object.entries(PROVIDERS).slice(0, 2)) {
    it(`makes objects, by ${name}`, async () => {
      const { object } = await generateObject({ model: modelOf(served.baseURL), schema, messages: [user] });
      assert(schema.safeParse(object).success);
    });

    it(`has tools called while it streams, by ${name}`, async () => {
      const painted: string[] = [];
      const paint = tool({
        inputSchema: schema,
        execute: async ({ color }) => {
          painted.push(color);
          return 'done';
        },
      });
      const model = modelOf(served.baseURL);
      const askOnce = async (how: { toolChoice: 'required' | { type: 'tool'; toolName: 'paint' } }) => {
        const providerOptions = { openai: { parallelToolCalls: false } };
        const result = streamText({ model, messages: [user], tools: { paint }, providerOptions, ...how });
        await result.consumeStream();
        const calls = await result.toolCalls;
        assert.equal(calls.length, 1);
        assert(calls.every(({ toolName, input }) => toolName === 'paint' && schema.safeParse(input).success));
        assert.equal(await result.finishReason, 'tool-calls');
      };
      await askOnce({ toolChoice: { type: 'tool', toolName: 'paint' } });
      await askOnce({ toolChoice: 'required' });
      assert.equal(painted.length, 2);
    });
  }
});
