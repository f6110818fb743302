import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ANSWER, COLOR, KEY, KeyedServer, ONE, PICTURE, withoutRepeats } from './support/keyed-server.ts';
import { MODEL_NAME } from './support/server.ts';

const [, PICTURE_BASE64] = PICTURE.split(',');
const MESSAGES = [
  {
    role: 'user',
    content: [
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PICTURE_BASE64 } },
      { type: 'text', text: ONE.question },
    ],
  },
];

describe('POST /v1/messages', () => {
  let client: KeyedServer;

  before(async () => {
    client = await KeyedServer.start();
  });
  after(() => client[Symbol.asyncDispose]());

  const asked = { messages: MESSAGES, max_tokens: 64 };

  it('answers in the shape of the API', async () => {
    const body = await client.answer('/v1/messages', asked);
    assert.match(body.id, /^msg_/);
    assert.deepEqual([body.type, body.role, body.model], ['message', 'assistant', MODEL_NAME]);
    assert.deepEqual(body.content, [{ type: 'text', text: ANSWER, citations: null }]);
    assert.deepEqual([body.stop_reason, body.stop_sequence], ['end_turn', null]);
    const { input_tokens, cache_read_input_tokens, output_tokens } = body.usage;
    assert.equal(input_tokens + cache_read_input_tokens, ONE.promptIds.length);
    assert.equal(output_tokens, ONE.tokenIds.length);
  });

  it('streams its events in order', async () => {
    const all = await client.events('/v1/messages', asked);
    assert.deepEqual(withoutRepeats(all.map(({ name }) => name)), [
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    assert(all.every(({ name, data }) => data.type === name));
    assert.equal(all.map(({ data }) => data.delta?.text ?? '').join(''), ANSWER);
    assert.equal(all.at(-2)?.data.usage.output_tokens, ONE.tokenIds.length);
  });

  it('says which text it stopped at, or that it was cut short', async () => {
    const stop = ANSWER.split(' ')[2];
    const stopped = await client.answer('/v1/messages', { ...asked, stop_sequences: ['never', stop] });
    assert.deepEqual([stopped.stop_reason, stopped.stop_sequence], ['stop_sequence', stop]);
    const cut = await client.answer('/v1/messages', { ...asked, max_tokens: 2 });
    assert.equal(cut.stop_reason, 'max_tokens');
  });

  it('calls tools, whole and streamed alike, and takes what they gave back', async () => {
    const tools = [{ name: 'paint', input_schema: COLOR }];
    const called = {
      ...asked,
      max_tokens: 200,
      tools,
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
    };
    const { content, stop_reason } = await client.answer('/v1/messages', called);
    assert.equal(stop_reason, 'tool_use');
    const [use] = content;
    assert.deepEqual([content.length, use.type, use.name], [1, 'tool_use', 'paint']);
    assert.match(use.input.color, /^(red|blue)$/);
    const all = await client.events('/v1/messages', called);
    const pieces = all.filter(({ data }) => data.delta?.type === 'input_json_delta');
    assert.deepEqual(JSON.parse(pieces.map(({ data }) => data.delta.partial_json).join('')), use.input);
    assert.equal(all.at(-2)?.data.delta.stop_reason, 'tool_use');
    const result = { type: 'tool_result', tool_use_id: use.id, content: 'done', is_error: false };
    const messages = [...MESSAGES, { role: 'assistant', content }, { role: 'user', content: [result] }];
    const next = await client.answer('/v1/messages', { ...asked, messages, tools, max_tokens: 3 });
    assert.equal(next.stop_reason, 'max_tokens');
    const { input_tokens } = await client.answer('/v1/messages/count_tokens', { messages, tools });
    const { input_tokens: read, cache_read_input_tokens: cached } = next.usage;
    assert.equal(input_tokens, read + cached);
  });

  it('keeps to a schema', async () => {
    const format = { type: 'json_schema', schema: COLOR };
    const { content } = await client.answer('/v1/messages', { ...asked, output_config: { format } });
    assert.match(JSON.parse(content[0].text).color, /^(red|blue)$/);
  });

  it('counts the tokens of what it would be asked', async () => {
    const body = await client.answer('/v1/messages/count_tokens', { messages: MESSAGES });
    assert.deepEqual(body, { input_tokens: ONE.promptIds.length });
  });

  for (const [what, path, body, headers, status, type, code] of [
    [
      'a wrong field',
      '',
      { ...asked, max_tokens: 0 },
      undefined,
      400,
      'invalid_request_error',
      'invalid_sampling',
    ],
    ['no JSON', '', '{', undefined, 400, 'invalid_request_error', 'invalid_json'],
    ['another model', '', { ...asked, model: 'gpt' }, undefined, 404, 'not_found_error', 'model_not_found'],
    ['a path that there is not', '/batches', {}, undefined, 404, 'not_found_error', 'not_found'],
    ['a wrong key', '', asked, { 'x-api-key': 'x' }, 401, 'authentication_error', 'invalid_api_key'],
    [
      'no JSON at all',
      '',
      'x',
      { 'x-api-key': KEY, 'content-type': 'text/plain' },
      415,
      'invalid_request_error',
      'unsupported_media_type',
    ],
  ] as const) {
    it(`refuses ${what} in its own words`, async () => {
      const response = await client.send(`/v1/messages${path}`, body, headers);
      const { type: kind, error } = JSON.parse(await response.text());
      assert.equal(response.status, status);
      assert.deepEqual([kind, error.type, error.details.error_code], ['error', type, code]);
      assert.notEqual(response.headers.get('request-id'), null);
    });
  }
});
