import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import type { TroupeServer } from '../../src/server/serve.ts';
import { golden } from '../support/golden.ts';
import { VIA_GATEWAY } from './support/behind-gateway.ts';
import { askAbout, ENDLESS, HELLO, idle, MODEL_NAME, startServer } from './support/server.ts';

const KEY = 'key-of-a-client';

/** Fields that the API does not have reach a server that does. */
const endless = { ...ENDLESS, messages: [...ENDLESS.messages] };
const hello = { messages: [...HELLO.messages], max_tokens: HELLO.max_tokens };

describe('the official client', () => {
  let server: TroupeServer;
  let client: OpenAI;

  before(async () => {
    server = await startServer({ apiKeys: [KEY], limits: { maxImages: 2 } });
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: KEY, maxRetries: 0 });
  });
  after(() => server.close());

  it('chats about an image', async () => {
    const answer = await client.chat.completions.create({ model: MODEL_NAME, messages: askAbout(33) });
    assert.equal(answer.choices[0]?.message.content, golden(33).greedy.trim());
    assert.equal(answer.choices[0]?.finish_reason, 'stop');
    assert.equal(answer.usage?.prompt_tokens, golden(33).promptIds.length);
    const details = answer.usage?.prompt_tokens_details;
    assert(details !== undefined && 'image_tokens' in details);
    assert.equal(details.image_tokens, 25);
  });

  it('chats about several images, with a system message and earlier turns', async () => {
    const answer = await client.chat.completions.create({
      model: MODEL_NAME,
      max_tokens: 3,
      messages: [
        { role: 'system', content: 'Answer briefly.' },
        ...askAbout(0),
        { role: 'assistant', content: 'A star.' },
        ...askAbout(1),
      ],
    });
    const details = answer.usage?.prompt_tokens_details;
    assert(details !== undefined && 'image_tokens' in details);
    assert.equal(details.image_tokens, 50);
  });

  it('streams, with usage at the end', async () => {
    const stream = await client.chat.completions.create({
      model: MODEL_NAME,
      messages: askAbout(33),
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let total: number | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      total = chunk.usage?.total_tokens ?? total;
    }
    assert.equal(text, golden(33).greedy.trim());
    assert.equal(total, golden(33).promptIds.length + golden(33).tokenIds.length);
  });

  it('gathers a stream by its own helper', async () => {
    const stream = client.chat.completions.stream({ model: MODEL_NAME, messages: askAbout(33) });
    assert.equal(await stream.finalContent(), golden(33).greedy.trim());
  });

  it('lists and finds the model', async () => {
    const list = await client.models.list();
    assert.deepEqual(
      list.data.map(({ id }) => id),
      [MODEL_NAME],
    );
    assert.equal((await client.models.retrieve(MODEL_NAME)).id, MODEL_NAME);
  });

  it('throws its own error for each kind of failure', async () => {
    const wrongKey = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'wrong-key', maxRetries: 0 });
    await assert.rejects(wrongKey.models.list(), OpenAI.AuthenticationError);
    const other = client.chat.completions.create({ ...hello, model: 'other' });
    await assert.rejects(
      other,
      (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found',
    );
    const refused = client.chat.completions.create({ ...hello, model: MODEL_NAME, n: 17 });
    await assert.rejects(refused, (error) => error instanceof OpenAI.BadRequestError && error.param === 'n');
  });

  it('throws before the stream begins when the request is wrong', async () => {
    const messages = [{ role: 'user' as const, content: 'word '.repeat(5000) }];
    const refused = client.chat.completions.create({ model: MODEL_NAME, messages, stream: true });
    await assert.rejects(
      refused,
      (error) => error instanceof OpenAI.BadRequestError && error.code === 'context_length_exceeded',
    );
  });

  it('throws in the middle of a stream when the request runs out of time, and does not try again', async () => {
    const stream = await new OpenAI({ baseURL: `${server.url}/v1`, apiKey: KEY }).chat.completions.create(
      { ...endless, model: MODEL_NAME, stream: true },
      { headers: { 'x-request-timeout-ms': '400' } },
    );
    let pieces = 0;
    await assert.rejects(async () => {
      for await (const _ of stream) pieces += 1;
    }, OpenAI.APIError);
    assert(pieces > 1);
  });

  // What actors count is asked of nodes, not of a gateway: test/fleet has this test for it.
  it('stops the compute when it aborts', { skip: VIA_GATEWAY }, async () => {
    const stream = await client.chat.completions.create({ ...endless, model: MODEL_NAME, stream: true });
    for await (const _ of stream) break; // aborts
    await idle(server);
    const { actors } = await server.engine.stats();
    const pd = actors.find(({ name }) => name === 'aggregated/0')?.stats;
    assert.equal(pd?.running, 0);
    assert(Number(pd?.cancelled) >= 1);
  });

  it('stops the compute when it aborts an answer that is not streamed', async () => {
    const abort = new AbortController();
    const answer = client.chat.completions.create(
      { ...endless, model: MODEL_NAME },
      { signal: abort.signal },
    );
    server.engine.events.once('request:start', () => setImmediate(() => abort.abort()));
    await assert.rejects(answer, OpenAI.APIUserAbortError);
    await idle(server);
  });
});
