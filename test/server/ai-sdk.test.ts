import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, streamText } from 'ai';
import type { TroupeServer } from '../../src/server/serve.ts';
import { golden, goldenImage } from '../support/golden.ts';
import { idle, MODEL_NAME, startServer } from './support/server.ts';

const KEY = 'key-of-a-client';
const one = golden(33);
const image = new Uint8Array(readFileSync(goldenImage(one)));

const messages = [
  {
    role: 'user' as const,
    content: [
      { type: 'file' as const, mediaType: 'image/png', data: image },
      { type: 'text' as const, text: one.question },
    ],
  },
];

describe("the AI SDK's provider for compatible servers", () => {
  let server: TroupeServer;
  let model: ReturnType<ReturnType<typeof createOpenAICompatible>>;

  before(async () => {
    server = await startServer({ apiKeys: [KEY] });
    const provider = createOpenAICompatible({
      name: 'troupe',
      baseURL: `${server.url}/v1`,
      apiKey: KEY,
      includeUsage: true,
    });
    model = provider(MODEL_NAME);
  });
  after(() => server.close());

  it('generates text about an image', async () => {
    const { text, finishReason, usage } = await generateText({ model, messages });
    assert.equal(text, one.greedy.trim());
    assert.equal(finishReason, 'stop');
    assert.equal(usage.inputTokens, one.promptIds.length);
    assert.equal(usage.outputTokens, one.tokenIds.length);
  });

  it('streams text about an image, with usage', async () => {
    const stream = streamText({ model, messages });
    let text = '';
    for await (const piece of stream.textStream) text += piece;
    assert.equal(text, one.greedy.trim());
    assert.equal((await stream.usage).outputTokens, one.tokenIds.length);
  });

  it('takes its sampling settings and a system message', async () => {
    const settings = { maxOutputTokens: 3, temperature: 1.5, topP: 0.9, seed: 3, presencePenalty: 0.1 };
    const { usage, finishReason } = await generateText({
      model,
      instructions: 'Answer briefly.',
      prompt: 'What do you see?',
      stopSequences: ['zzz'],
      ...settings,
    });
    assert.equal(usage.outputTokens, 3);
    assert.equal(finishReason, 'length');
  });

  it('reports what the server refuses', async () => {
    const refused = generateText({ model, prompt: 'word '.repeat(5000), maxRetries: 0 });
    await assert.rejects(refused, (error) => APICallError.isInstance(error) && error.statusCode === 400);
    const url = 'http://127.0.0.1:1/x.png';
    const content = [
      { type: 'file' as const, mediaType: 'image/png', data: new URL(url) },
      { type: 'text' as const, text: 'What is this?' },
    ];
    const fetched = generateText({ model, messages: [{ role: 'user', content }], maxRetries: 0 });
    await assert.rejects(fetched, (error) => error instanceof Error);
  });

  it('stops the compute when it aborts', async () => {
    const abort = new AbortController();
    server.engine.events.once('request:start', () => setImmediate(() => abort.abort()));
    const stream = streamText({
      model,
      prompt: 'What do you see?',
      temperature: 1.9,
      seed: 1,
      abortSignal: abort.signal,
      onError: () => undefined,
    });
    await assert.rejects(async () => {
      for await (const _ of stream.textStream) {
        // until it is aborted
      }
      await stream.text;
    });
    await idle(server);
  });
});
