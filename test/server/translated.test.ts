import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TroupeServer } from '../../src/server/serve.ts';
import { golden } from '../support/golden.ts';
import { notOfGateways } from './support/behind-gateway.ts';
import {
  askAbout,
  assertRefused,
  dataUrl,
  ENDLESS,
  MODEL_NAME,
  post,
  startServer,
} from './support/server.ts';

const KEY = 'key-of-a-client';
const ONE = golden(33);
const ANSWER = ONE.greedy.trim();
const PICTURE = dataUrl(ONE);
const [, PICTURE_BASE64] = PICTURE.split(',');

const INPUT = [
  {
    role: 'user',
    content: [
      { type: 'input_image', image_url: PICTURE, detail: 'auto' },
      { type: 'input_text', text: ONE.question },
    ],
  },
];
const MESSAGES = [
  {
    role: 'user',
    content: [
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PICTURE_BASE64 } },
      { type: 'text', text: ONE.question },
    ],
  },
];

const COLOR = {
  type: 'object',
  properties: { color: { enum: ['red', 'blue'] } },
  required: ['color'],
  additionalProperties: false,
};

interface NamedEvent {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: what comes is looked at by the test
  readonly data: any;
}

/** Server-sent events with names. */
function namedEvents(text: string): NamedEvent[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const [, name = '', data = ''] = /^event: (\S+)\ndata: (.*)$/.exec(event) ?? [];
      assert.notEqual(name, '', event);
      return { name, data: JSON.parse(data) };
    });
}

const withoutRepeats = (names: readonly string[]) => names.filter((name, at) => name !== names[at - 1]);

describe('requests in the way of other APIs', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer({ apiKeys: [KEY] });
  });
  after(() => server.close());

  const send = (path: string, body: unknown, headers: Record<string, string> = { 'x-api-key': KEY }) =>
    post(server, body, { path, headers });
  const answer = async (path: string, body: unknown) => {
    const response = await send(path, body);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  };
  const events = async (path: string, body: object) => {
    const response = await send(path, { ...body, stream: true });
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    return namedEvents(await response.text());
  };

  describe('POST /v1/responses', () => {
    it('answers in the shape of the API, and repeats what was asked', async () => {
      const asked = { input: INPUT, instructions: null, metadata: { of: 'me' }, store: true, temperature: 0 };
      const body = await answer('/v1/responses', asked);
      assert.match(body.id, /^resp_/);
      assert.deepEqual([body.object, body.status, body.model], ['response', 'completed', MODEL_NAME]);
      assert.deepEqual([body.store, body.metadata, body.temperature], [false, { of: 'me' }, 0]);
      assert.equal(body.output.length, 1);
      const [{ id, ...message }] = body.output;
      assert.match(id, /^msg_/);
      const part = { type: 'output_text', annotations: [], logprobs: [], text: ANSWER };
      assert.deepEqual(message, { type: 'message', status: 'completed', content: [part], role: 'assistant' });
      assert.equal(body.usage.input_tokens, ONE.promptIds.length);
      assert.equal(body.usage.output_tokens, ONE.tokenIds.length);
      assert.equal(body.usage.input_tokens_details.image_tokens, 25);
    });

    it('streams its events in order, with their numbers, to the same end', async () => {
      const all = await events('/v1/responses', { input: INPUT });
      assert.deepEqual(withoutRepeats(all.map(({ name }) => name)), [
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.completed',
      ]);
      assert(all.every(({ name, data }, at) => data.type === name && data.sequence_number === at));
      const deltas = all.filter(({ name }) => name === 'response.output_text.delta');
      assert.equal(deltas.map(({ data }) => data.delta).join(''), ANSWER);
      const { response } = all.at(-1)?.data ?? {};
      assert.equal(response.output[0].content[0].text, ANSWER);
      assert.equal(new Set(deltas.map(({ data }) => data.item_id)).size, 1);
      assert.equal(response.output[0].id, deltas[0]?.data.item_id);
      assert.equal(response.id, all[0]?.data.response.id);
    });

    it('says of an answer that was cut short why', async () => {
      const body = await answer('/v1/responses', { input: INPUT, max_output_tokens: 2 });
      assert.deepEqual(
        [body.status, body.incomplete_details],
        ['incomplete', { reason: 'max_output_tokens' }],
      );
      const last = (await events('/v1/responses', { input: INPUT, max_output_tokens: 2 })).at(-1);
      assert.equal(last?.name, 'response.incomplete');
    });

    it('takes a conversation with its own items, and a text alone', async () => {
      const { output } = await answer('/v1/responses', { input: INPUT });
      const next = { role: 'user', content: 'And then?' };
      const { usage } = await answer('/v1/responses', { input: [...INPUT, ...output, next] });
      const chat = { messages: [...askAbout(33), { role: 'assistant', content: ANSWER }, next] };
      const plain = await answer('/v1/chat/completions', chat);
      assert.equal(usage.input_tokens, plain.usage.prompt_tokens);
      const alone = await answer('/v1/responses', { input: 'What do you see?', max_output_tokens: 1 });
      assert.equal(alone.usage.output_tokens, 1);
    });

    it('keeps to a schema', async () => {
      const format = { type: 'json_schema', name: 'a', schema: COLOR, strict: true };
      const body = await answer('/v1/responses', { input: INPUT, text: { format } });
      assert.match(JSON.parse(body.output[0].content[0].text).color, /^(red|blue)$/);
      assert.deepEqual(body.text.format, format);
    });

    it('calls functions, whole and streamed alike, and takes what they gave back', async () => {
      const tools = [{ type: 'function', name: 'paint', parameters: COLOR }];
      const asked = { input: INPUT, tools, tool_choice: 'required', parallel_tool_calls: false };
      const { output, status } = await answer('/v1/responses', asked);
      assert.equal(status, 'completed');
      const [call] = output;
      assert.deepEqual([output.length, call.type, call.name], [1, 'function_call', 'paint']);
      assert.match(JSON.parse(call.arguments).color, /^(red|blue)$/);
      const all = await events('/v1/responses', asked);
      assert.deepEqual(withoutRepeats(all.map(({ name }) => name)).slice(2), [
        'response.output_item.added',
        'response.function_call_arguments.delta',
        'response.function_call_arguments.done',
        'response.output_item.done',
        'response.completed',
      ]);
      const pieces = all.filter(({ name }) => name === 'response.function_call_arguments.delta');
      assert.equal(pieces.map(({ data }) => data.delta).join(''), call.arguments);
      const choice = {
        type: 'allowed_tools',
        mode: 'required',
        tools: [{ type: 'function', name: 'paint' }],
      };
      const { output: allowed } = await answer('/v1/responses', { ...asked, tool_choice: choice });
      assert.deepEqual([allowed[0].name, allowed[0].arguments], ['paint', call.arguments]);
      const result = { type: 'function_call_output', call_id: call.call_id, output: 'done' };
      const input = [...INPUT, ...output, result];
      const next = await answer('/v1/responses', { input, tools, max_output_tokens: 4 });
      assert.equal(next.status, 'incomplete');
      const stranger = { ...result, call_id: 'call_of_nobody' };
      const response = await send('/v1/responses', { input: [...INPUT, ...output, stranger], tools });
      const { param } = JSON.parse(await response.text()).error;
      assert.equal(response.status, 400);
      assert.match(param, /^input\[2\]\.call_id$/);
    });

    it('names a schema that cannot be kept to', async () => {
      const schema = { type: 'object', properties: { a: { $ref: '#/nowhere' } } };
      const format = { type: 'json_schema', name: 'a', schema };
      const response = await send('/v1/responses', { input: INPUT, text: { format } });
      assert.equal(response.status, 400);
      const { param } = JSON.parse(await response.text()).error;
      assert.match(param, /^text\.format\.schema/);
    });

    const goesOn = notOfGateways('an actor that dies fails no answer there: another node goes on with it');
    it('tells of a failure in the middle by its last event', { skip: goesOn }, async () => {
      const { messages: _, max_tokens, ...endless } = ENDLESS;
      const body = { ...endless, input: 'What do you see?', max_output_tokens: max_tokens, stream: true };
      const response = await send('/v1/responses', body);
      const reader = response.body?.getReader();
      const decoder = new TextDecoder();
      let text = decoder.decode((await reader?.read())?.value);
      server.engine.crash('aggregated/0');
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
        text += decoder.decode(next.value);
      }
      const last = namedEvents(text).at(-1);
      assert.equal(last?.name, 'response.failed');
      assert.equal(last?.data.response.status, 'failed');
      assert.equal(last?.data.response.error.code, 'server_error');
    });

    it('reads large bodies on a thread of their own', async () => {
      const body = await answer('/v1/responses', JSON.stringify({ input: INPUT }) + ' '.repeat(10_000));
      assert.equal(body.output[0].content[0].text, ANSWER);
      const broken = {
        input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:image/png;base64,!' }] }],
      };
      const large = JSON.stringify(broken) + ' '.repeat(10_000);
      const { param } = await assertRefused(
        await send('/v1/responses', large),
        400,
        'image_data_url_invalid',
      );
      assert.equal(param, 'input[0].content[0].image_url');
    });
  });

  describe('POST /v1/messages', () => {
    const asked = { messages: MESSAGES, max_tokens: 64 };

    it('answers in the shape of the API', async () => {
      const body = await answer('/v1/messages', asked);
      assert.match(body.id, /^msg_/);
      assert.deepEqual([body.type, body.role, body.model], ['message', 'assistant', MODEL_NAME]);
      assert.deepEqual(body.content, [{ type: 'text', text: ANSWER, citations: null }]);
      assert.deepEqual([body.stop_reason, body.stop_sequence], ['end_turn', null]);
      const { input_tokens, cache_read_input_tokens, output_tokens } = body.usage;
      assert.equal(input_tokens + cache_read_input_tokens, ONE.promptIds.length);
      assert.equal(output_tokens, ONE.tokenIds.length);
    });

    it('streams its events in order', async () => {
      const all = await events('/v1/messages', asked);
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
      const stopped = await answer('/v1/messages', { ...asked, stop_sequences: ['never', stop] });
      assert.deepEqual([stopped.stop_reason, stopped.stop_sequence], ['stop_sequence', stop]);
      const cut = await answer('/v1/messages', { ...asked, max_tokens: 2 });
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
      const { content, stop_reason } = await answer('/v1/messages', called);
      assert.equal(stop_reason, 'tool_use');
      const [use] = content;
      assert.deepEqual([content.length, use.type, use.name], [1, 'tool_use', 'paint']);
      assert.match(use.input.color, /^(red|blue)$/);
      const all = await events('/v1/messages', called);
      const pieces = all.filter(({ data }) => data.delta?.type === 'input_json_delta');
      assert.deepEqual(JSON.parse(pieces.map(({ data }) => data.delta.partial_json).join('')), use.input);
      assert.equal(all.at(-2)?.data.delta.stop_reason, 'tool_use');
      const result = { type: 'tool_result', tool_use_id: use.id, content: 'done', is_error: false };
      const messages = [...MESSAGES, { role: 'assistant', content }, { role: 'user', content: [result] }];
      const next = await answer('/v1/messages', { ...asked, messages, tools, max_tokens: 3 });
      assert.equal(next.stop_reason, 'max_tokens');
      const { input_tokens } = await answer('/v1/messages/count_tokens', { messages, tools });
      const { input_tokens: read, cache_read_input_tokens: cached } = next.usage;
      assert.equal(input_tokens, read + cached);
    });

    it('keeps to a schema', async () => {
      const format = { type: 'json_schema', schema: COLOR };
      const { content } = await answer('/v1/messages', { ...asked, output_config: { format } });
      assert.match(JSON.parse(content[0].text).color, /^(red|blue)$/);
    });

    it('counts the tokens of what it would be asked', async () => {
      const body = await answer('/v1/messages/count_tokens', { messages: MESSAGES });
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
        const response = await send(`/v1/messages${path}`, body, headers);
        const { type: kind, error } = JSON.parse(await response.text());
        assert.equal(response.status, status);
        assert.deepEqual([kind, error.type, error.details.error_code], ['error', type, code]);
        assert.notEqual(response.headers.get('request-id'), null);
      });
    }
  });

  describe('POST /v1/completions', () => {
    it('goes on with a text as it is, whose control tokens are tokens', async () => {
      const chat = { messages: [{ role: 'user', content: 'What do you see?' }] };
      const plain = await answer('/v1/chat/completions', { ...chat, max_tokens: 12 });
      const { tokens } = await answer('/tokenize', chat);
      const { prompt } = await answer('/detokenize', { tokens });
      const asked = { add_special_tokens: false, max_tokens: 12 };
      for (const given of [prompt, [prompt], tokens, [tokens]]) {
        const body = await answer('/v1/completions', { ...asked, prompt: given });
        assert.equal(body.object, 'text_completion');
        // White space before it belongs to the text here.
        assert.equal(body.choices[0].text.trimStart(), plain.choices[0].message.content);
        assert.equal(body.usage.prompt_tokens, tokens.length);
      }
    });

    it('streams the same', async () => {
      const asked = { prompt: 'What is', max_tokens: 5 };
      const whole = await answer('/v1/completions', asked);
      const text = await (await send('/v1/completions', { ...asked, stream: true })).text();
      assert(text.endsWith('data: [DONE]\n\n'));
      const chunks = text.split('\n\n').filter((line) => line.startsWith('data: {'));
      const pieces = chunks.map((line) => JSON.parse(line.slice('data: '.length)).choices[0]);
      assert.equal(pieces.map((piece) => piece.text).join(''), whole.choices[0].text);
      assert.equal(pieces.at(-1).finish_reason, 'length');
    });

    it('refuses image tokens and ids that are none', async () => {
      for (const [prompt, param] of [
        ['a <image> b', 'prompt'],
        [[1, 9_999_999], 'prompt[1]'],
        ['', 'prompt'],
      ] as const) {
        const body = { prompt, add_special_tokens: false };
        const error = await assertRefused(await send('/v1/completions', body), 400, 'invalid_content');
        assert.equal(error.param, param);
      }
    });

    it('refuses a text that fills the context', async () => {
      const response = await send('/v1/completions', { prompt: 'word '.repeat(5000) });
      const error = await assertRefused(response, 400, 'context_length_exceeded');
      assert.equal(error.param, 'prompt');
    });
  });

  describe('POST /tokenize and /detokenize', () => {
    it('have the tokens that a prompt with an image has', async () => {
      const body = await answer('/tokenize', { messages: askAbout(33), return_token_strs: true });
      assert.deepEqual(body.tokens, ONE.promptIds);
      assert.deepEqual([body.count, body.max_model_len], [ONE.promptIds.length, server.engine.contextLength]);
      assert.equal(body.token_strs.length, body.count);
    });

    it('give a text back, whatever is in it', async () => {
      for (const content of ['Hello', '  two  spaces ', 'wörld 🎉\n', '<|im_start|>User: a', '']) {
        const { tokens } = await answer('/tokenize', { content });
        assert.equal((await answer('/detokenize', { tokens })).content, content);
      }
    });

    it('tell the text of each token, in bytes where it is a part of a character', async () => {
      const { tokens } = await answer('/tokenize', { content: 'a 🎉', with_pieces: true });
      const bytes = tokens.flatMap(({ piece }: { piece: string | number[] }) =>
        typeof piece === 'string' ? [...Buffer.from(piece)] : piece,
      );
      assert.equal(Buffer.from(bytes).toString(), 'a 🎉');
    });

    it('take what spells a control token for text when told to', async () => {
      const content = '<|im_start|>';
      const one = await answer('/tokenize', { content });
      const letters = await answer('/tokenize', { content, parse_special: false });
      assert.equal(one.tokens.length, 1);
      assert(letters.tokens.length > 1);
      assert.equal((await answer('/detokenize', letters)).content, content);
    });

    it('refuse what is no text, and a text that no context holds, without encoding it', async () => {
      await assertRefused(await send('/tokenize', { content: 7 }), 400, 'invalid_type');
      await assertRefused(await send('/tokenize', {}), 400, 'invalid_body');
      await assertRefused(await send('/detokenize', { tokens: 'x' }), 400, 'invalid_type');
      const long = { content: 'a'.repeat(4_000_000) };
      const error = await assertRefused(await send('/tokenize', long), 400, 'context_length_exceeded');
      assert.equal(error.param, 'content');
    });
  });
});
