import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { createOpenAI, type OpenAIProvider } from '@ai-sdk/openai';
import { generateText, streamText } from 'ai';
import type { TroupeServer } from '../../src/server/serve.ts';
import { golden, goldenImage } from '../support/golden.ts';
import { MODEL_NAME, startServer } from './support/server.ts';

const one = golden(33);
const messages = [
  {
    role: 'user' as const,
    content: [
      {
        type: 'file' as const,
        mediaType: 'image/png',
        data: new Uint8Array(readFileSync(goldenImage(one))),
      },
      { type: 'text' as const, text: one.question },
    ],
  },
];

describe("the AI SDK's provider for OpenAI", () => {
  let server: TroupeServer;
  let openai: OpenAIProvider;

  before(async () => {
    server = await startServer();
    openai = createOpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
  });
  after(() => server.close());

  it('generates and streams with .chat', async () => {
    const model = openai.chat(MODEL_NAME);
    const { text, usage } = await generateText({ model, messages });
    assert.equal(text, one.greedy.trim());
    assert.equal(usage.inputTokens, one.promptIds.length);
    let streamed = '';
    for await (const piece of streamText({ model, messages }).textStream) streamed += piece;
    assert.equal(streamed, text);
  });

  it('generates and streams without .chat, by the Responses API', async () => {
    const model = openai(MODEL_NAME);
    const { text, usage, response } = await generateText({ model, messages });
    assert.equal(text, one.greedy.trim());
    assert.equal(usage.inputTokens, one.promptIds.length);
    assert.match(response.id, /^resp_/);
    let streamed = '';
    for await (const piece of streamText({ model, messages }).textStream) streamed += piece;
    assert.equal(streamed, text);
  });
});
