import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TroupeServer } from '../../src/server/serve.ts';
import { golden } from '../support/golden.ts';
import { askAbout, assertRefused, eventsOf, HELLO, MODEL_NAME, post, startServer } from './support/server.ts';

describe('POST /v1/chat/completions', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer({ limits: { maxImages: 2 } });
  });
  after(() => server.close());

  const answer = async (body: object) => {
    const response = await post(server, body);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  };

  it('answers a question about an image in the shape of the API', async () => {
    const one = golden(33);
    const body = await answer({ model: MODEL_NAME, messages: askAbout(33) });
    assert.match(body.id, /^chatcmpl-[\w-]+$/);
    assert.equal(body.object, 'chat.completion');
    assert.equal(body.model, MODEL_NAME);
    assert(Math.abs(body.created - Date.now() / 1000) < 60);
    assert.deepEqual(body.choices, [
      {
        index: 0,
        message: { role: 'assistant', content: one.greedy.trim(), refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ]);
    assert.equal(body.usage.prompt_tokens, one.promptIds.length);
    assert.equal(body.usage.completion_tokens, one.tokenIds.length);
    assert.equal(body.usage.total_tokens, one.promptIds.length + one.tokenIds.length);
    assert.equal(body.usage.prompt_tokens_details.image_tokens, 25);
    assert.equal(body.usage.prompt_tokens_details.text_tokens, one.promptIds.length - 25);
  });

  it('streams the same answer, ended by its mark', async () => {
    const response = await post(server, { messages: askAbout(33), stream: true });
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    const text = await response.text();
    assert(text.endsWith('data: [DONE]\n\n'));
    const events = eventsOf(text) as {
      id: string;
      object: string;
      choices: { delta: { content?: string }; finish_reason: string | null }[];
    }[];
    assert.equal(new Set(events.map(({ id }) => id)).size, 1);
    assert(events.every(({ object }) => object === 'chat.completion.chunk'));
    assert(events.every((event) => !('usage' in event)));
    const choices = events.map(({ choices: [choice] }) => choice);
    assert.deepEqual(choices[0]?.delta, { role: 'assistant', content: '' });
    const content = choices.map((choice) => choice?.delta.content ?? '').join('');
    assert.equal(content, golden(33).greedy.trim());
    assert.deepEqual(
      choices.map((choice) => choice?.finish_reason).filter((reason) => reason !== null),
      ['stop'],
    );
  });

  it('ends a stream with usage when asked to', async () => {
    const body = { messages: askAbout(33), stream: true, stream_options: { include_usage: true } };
    const events = eventsOf(await (await post(server, body)).text());
    const last = events.pop() as { choices: unknown[]; usage: { total_tokens: number } };
    assert.deepEqual(last.choices, []);
    assert.equal(last.usage.total_tokens, golden(33).promptIds.length + golden(33).tokenIds.length);
    assert(events.every(({ usage }) => usage === null));
  });

  it('takes several images, a system message and earlier turns', async () => {
    const [first] = askAbout(0);
    const [second] = askAbout(1);
    const messages = [
      { role: 'developer', content: 'Answer briefly.' },
      first,
      { role: 'assistant', content: 'A star.' },
      second,
    ];
    const { usage } = await answer({ messages, max_tokens: 2 });
    assert.equal(usage.prompt_tokens_details.image_tokens, 50);
  });

  it('honours the sampling fields', async () => {
    const limited = await answer({ messages: askAbout(33), max_completion_tokens: 2 });
    assert.equal(limited.choices[0].finish_reason, 'length');
    assert.equal(limited.usage.completion_tokens, 2);
    const stopped = await answer({ messages: askAbout(0), stop: ' triangle' });
    assert.equal(
      stopped.choices[0].message.content,
      golden(0).greedy.slice(0, golden(0).greedy.indexOf(' triangle')).trim(),
    );
    const sampled = { messages: askAbout(33), temperature: 2, top_p: 0.99, seed: -7, max_tokens: 12 };
    const [once, again] = [await answer(sampled), await answer(sampled)];
    assert.equal(once.choices[0].message.content, again.choices[0].message.content);
    const other = await answer({ ...sampled, top_k: 1 });
    assert.notEqual(other.choices[0].message.content, once.choices[0].message.content);
  });

  it('says where the time went and what travelled', async () => {
    // A picture that no other test here shows, so that its pixels are not known yet.
    const { troupe } = await answer({ messages: askAbout(38) });
    assert(troupe.timings.totalMs >= troupe.timings.timeToFirstTokenMs);
    assert.equal(troupe.bytes_between_actors.pixels.moved, 3 * 80 * 80 * 4);
  });

  it('takes null for a field that is left out', async () => {
    await answer({ ...HELLO, temperature: null, stop: null, tools: null, stream: null, n: null });
  });

  for (const [name, body, status, code, param] of [
    ['no body', '', 400, 'invalid_json', null],
    ['no JSON', '{"messages":', 400, 'invalid_json', null],
    ['a list', '[]', 400, 'invalid_body', 'body'],
    ['no messages', {}, 400, 'empty_messages', 'messages'],
    ['another model', { ...HELLO, model: 'gpt' }, 404, 'model_not_found', 'model'],
    ['a field that does not exist', { ...HELLO, temprature: 1 }, 400, 'unknown_parameter', 'temprature'],
    ['a field inherited by every object', '{"constructor":1}', 400, 'unknown_parameter', 'constructor'],
    ['a temperature out of range', { ...HELLO, temperature: 3 }, 400, 'invalid_sampling', 'temperature'],
    ['a top_p that is text', { ...HELLO, top_p: '1' }, 400, 'invalid_sampling', 'top_p'],
    ['a broken seed', { ...HELLO, seed: 1.5 }, 400, 'invalid_value', 'seed'],
    ['two token limits', { ...HELLO, max_completion_tokens: 9 }, 400, 'invalid_value', 'max_tokens'],
    ['an empty stop', { ...HELLO, stop: ['a', ''] }, 400, 'invalid_sampling', 'stop[1]'],
    ['stream as text', { ...HELLO, stream: 'yes' }, 400, 'invalid_type', 'stream'],
    [
      'stream_options without stream',
      { ...HELLO, stream_options: {} },
      400,
      'invalid_value',
      'stream_options',
    ],
    [
      'a role that is none',
      { messages: [{ role: 'function', content: 'x' }] },
      400,
      'invalid_role',
      'messages[0].role',
    ],
    [
      'audio',
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] },
      400,
      'invalid_content',
      'messages[0].content[0].type',
    ],
    [
      'an image in an answer',
      { messages: [{ role: 'assistant', content: askAbout(0)[0]?.content }] },
      400,
      'invalid_content',
      'messages[0].content[0].type',
    ],
    [
      'too many images',
      { messages: [...askAbout(0), ...askAbout(1), ...askAbout(2)] },
      400,
      'too_many_images',
      'messages',
    ],
    [
      'too long a prompt',
      { messages: [{ role: 'user', content: 'word '.repeat(5000) }] },
      400,
      'context_length_exceeded',
      'messages',
    ],
  ] as const) {
    it(`refuses ${name}, naming the field, streamed or not`, async () => {
      for (const stream of [false, true]) {
        const sent =
          typeof body === 'string' || 'stream' in body || 'stream_options' in body
            ? body
            : { ...body, stream };
        const error = await assertRefused(await post(server, sent), status, code);
        assert.equal(error.param, param);
      }
    });
  }

  it('refuses another content type, which a web page could send without asking', async () => {
    const headers = { 'content-type': 'text/plain' };
    await assertRefused(await post(server, HELLO, { headers }), 415, 'unsupported_media_type');
  });

  it('lists the model', async () => {
    const list = JSON.parse(await (await fetch(`${server.url}/v1/models`)).text());
    assert.equal(list.object, 'list');
    assert.deepEqual(
      list.data.map(({ id, object }: { id: string; object: string }) => [id, object]),
      [[MODEL_NAME, 'model']],
    );
    const one = JSON.parse(await (await fetch(`${server.url}/v1/models/${MODEL_NAME}`)).text());
    assert.deepEqual(one, list.data[0]);
    await assertRefused(await fetch(`${server.url}/v1/models/other`), 404, 'model_not_found');
  });

  it('says in the same shape that a route does not exist', async () => {
    await assertRefused(await fetch(`${server.url}/v1/completions`), 404, 'not_found');
    await assertRefused(await fetch(`${server.url}/v1/chat/completions`), 404, 'not_found');
    await assertRefused(await post(server, {}, { path: '/admin/clear_kv_blocks' }), 404, 'not_found');
  });
});
