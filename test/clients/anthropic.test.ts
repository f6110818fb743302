import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
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

const ASKED: Anthropic.MessageParam = {
  role: 'user',
  content: [
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PICTURE_BASE64 } },
    { type: 'text', text: QUESTION },
  ],
};
const REQUEST = { model: MODEL, max_tokens: 64, messages: [ASKED] };

/** All tokens of a prompt, those from the cache too. */
const promptTokens = ({ input_tokens, cache_read_input_tokens }: Anthropic.Usage): number =>
  input_tokens + (cache_read_input_tokens ?? 0);

describe('the client of Anthropic', () => {
  let served: Served;
  let client: Anthropic;

  before(async () => {
    served = await serve();
    client = new Anthropic({ baseURL: served.baseURL.replace('/v1', ''), apiKey: KEY, maxRetries: 0 });
  });
  after(() => served.stop());

  it('chats about a picture', async () => {
    const message = await client.messages.create(REQUEST);
    assert.deepEqual(message.content, [{ type: 'text', text: ANSWER, citations: null }]);
    assert.equal(message.stop_reason, 'end_turn');
    assert.equal(promptTokens(message.usage), PROMPT_TOKENS);
    assert.notEqual(message._request_id, null);
  });

  it('streams, and comes to the same', async () => {
    const stream = client.messages.stream(REQUEST);
    let text = '';
    stream.on('text', (piece) => {
      text += piece;
    });
    const message = await stream.finalMessage();
    assert.equal(text, ANSWER);
    assert.deepEqual(message.content, [{ type: 'text', text: ANSWER, citations: null }]);
    assert.equal(promptTokens(message.usage), PROMPT_TOKENS);
  });

  it('goes on with the message that it was given', async () => {
    const plain = await served.plainly(SECOND_TURN);
    const { content } = await client.messages.create(REQUEST);
    const messages = [
      ASKED,
      { role: 'assistant' as const, content },
      { role: 'user' as const, content: NEXT_QUESTION },
    ];
    const next = await client.messages.create({ ...REQUEST, max_tokens: 256, messages });
    assert.deepEqual(next.content, [{ type: 'text', text: plain.text, citations: null }]);
    assert.equal(promptTokens(next.usage), plain.promptTokens);
  });

  it('gives a system prompt', async () => {
    const plain = await served.plainly([{ role: 'system', content: SYSTEM }, USER]);
    for (const system of [SYSTEM, [{ type: 'text' as const, text: SYSTEM }]]) {
      const { content } = await client.messages.create({ ...REQUEST, max_tokens: 256, system });
      assert.deepEqual(content, [{ type: 'text', text: plain.text, citations: null }]);
    }
  });

  it('stops at a text, and is told at which', async () => {
    const stop = ANSWER.split(' ')[2] ?? '';
    const message = await client.messages.create({ ...REQUEST, stop_sequences: ['never', stop] });
    assert.equal(message.stop_reason, 'stop_sequence');
    assert.equal(message.stop_sequence, stop);
  });

  it('has tools called, whole and streamed, and goes on with their results', async () => {
    const tools: Anthropic.Tool[] = [
      {
        name: 'paint',
        input_schema: {
          type: 'object',
          properties: { color: { enum: ['red', 'blue'] } },
          required: ['color'],
          additionalProperties: false,
        },
      },
    ];
    const asked = {
      ...REQUEST,
      max_tokens: 200,
      tools,
      tool_choice: { type: 'tool' as const, name: 'paint' },
    };
    const whole = await client.messages.create(asked);
    const streamed = await client.messages.stream(asked).finalMessage();
    for (const { content, stop_reason } of [whole, streamed]) {
      assert.equal(stop_reason, 'tool_use');
      const [use] = content;
      assert(use?.type === 'tool_use');
      assert.match((use.input as { color: string }).color, /^(red|blue)$/);
      const result = { type: 'tool_result' as const, tool_use_id: use.id, content: 'done' };
      const messages = [
        ASKED,
        { role: 'assistant' as const, content },
        { role: 'user' as const, content: [result] },
      ];
      const next = await client.messages.create({
        ...REQUEST,
        messages,
        tools,
        tool_choice: { type: 'none' },
      });
      assert.notEqual(next.stop_reason, 'tool_use');
    }
  });

  it('counts tokens', async () => {
    const { input_tokens } = await client.messages.countTokens({ model: MODEL, messages: [ASKED] });
    assert.equal(input_tokens, PROMPT_TOKENS);
  });

  it('is told what is wrong in its own words', async () => {
    const messages = [
      { role: 'user' as const, content: [{ type: 'image', source: { type: 'file', file_id: 'x' } }] },
    ];
    await assert.rejects(client.messages.create({ ...REQUEST, messages } as never), {
      status: 400,
      type: 'invalid_request_error',
      errorCode: 'image_source_unsupported',
    });
    const stranger = new Anthropic({
      baseURL: served.baseURL.replace('/v1', ''),
      apiKey: 'no',
      maxRetries: 0,
    });
    await assert.rejects(stranger.messages.create(REQUEST), { status: 401, type: 'authentication_error' });
  });
});
