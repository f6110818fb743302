import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import {
  ANSWER,
  KEY,
  MODEL,
  NEXT_QUESTION,
  PROMPT_TOKENS,
  SECOND_TURN,
  type Served,
  SYSTEM,
  serve,
  USER,
} from './support.ts';

describe('the newest client of OpenAI', () => {
  let served: Served;
  let client: OpenAI;

  before(async () => {
    served = await serve();
    client = new OpenAI({ baseURL: served.baseURL, apiKey: KEY, maxRetries: 0 });
  });
  after(() => served.stop());

  it('chats about a picture', async () => {
    const { choices, usage } = await client.chat.completions.create({ model: MODEL, messages: [USER] });
    assert.equal(choices[0]?.message.content, ANSWER);
    assert.equal(usage?.prompt_tokens, PROMPT_TOKENS);
  });

  it('streams', async () => {
    const stream = await client.chat.completions.create({ model: MODEL, messages: [USER], stream: true });
    let text = '';
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    assert.equal(text, ANSWER);
  });

  it('goes on with the message that it was given, with all its fields', async () => {
    const { choices } = await client.chat.completions.create({ model: MODEL, messages: [USER] });
    const said = choices[0]?.message;
    assert(said !== undefined);
    const messages = [USER, said, { role: 'user' as const, content: NEXT_QUESTION }];
    const answer = await client.chat.completions.create({ model: MODEL, messages });
    const plain = await served.plainly(SECOND_TURN);
    assert.equal(answer.choices[0]?.message.content, plain.text);
    assert.equal(answer.usage?.prompt_tokens, plain.promptTokens);
  });

  it('goes on with what its helpers have gathered and parsed', async () => {
    const streamed = client.chat.completions.stream({ model: MODEL, messages: [USER] });
    const parsed = await client.chat.completions.parse({ model: MODEL, messages: [USER] });
    const plain = await served.plainly(SECOND_TURN);
    for (const said of [await streamed.finalMessage(), parsed.choices[0]?.message]) {
      assert(said !== undefined);
      const messages = [USER, said, { role: 'user' as const, content: NEXT_QUESTION }];
      const answer = await client.chat.completions.create({ model: MODEL, messages });
      assert.equal(answer.choices[0]?.message.content, plain.text);
      assert.equal(answer.usage?.prompt_tokens, plain.promptTokens);
    }
  });

  it('gives a system message, by either of its names', async () => {
    const plain = await served.plainly([{ role: 'system', content: SYSTEM }, USER]);
    for (const role of ['system', 'developer'] as const) {
      const messages = [{ role, content: SYSTEM }, USER];
      const answer = await client.chat.completions.create({ model: MODEL, messages });
      assert.equal(answer.choices[0]?.message.content, plain.text);
      assert.equal(answer.usage?.prompt_tokens, plain.promptTokens);
    }
  });

  it('parses an answer that is held to a schema of zod', async () => {
    const schema = z.object({ color: z.enum(['red', 'blue']), count: z.int().min(0).max(9) });
    const asked = { model: MODEL, messages: [USER], response_format: zodResponseFormat(schema, 'seen') };
    const whole = await client.chat.completions.parse(asked);
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      assert.equal(choices[0]?.finish_reason, 'stop');
      assert(schema.safeParse(choices[0].message.parsed).success, JSON.stringify(choices[0].message));
    }
  });

  it('runs tools, and sends their results back', async () => {
    const painted: string[] = [];
    const paint = zodFunction({
      name: 'paint',
      parameters: z.object({ color: z.enum(['red', 'blue']) }),
      function: ({ color }) => {
        painted.push(color);
        return 'done';
      },
    });
    const runner = client.chat.completions.runTools(
      { model: MODEL, messages: [USER], tools: [paint], tool_choice: 'required', parallel_tool_calls: false },
      { maxChatCompletions: 2 },
    );
    await runner.done();
    assert.equal(painted.length, 2);
    assert(painted.every((color) => color === 'red' || color === 'blue'));
    const roles = runner.messages.map(({ role }) => role);
    assert.deepEqual(roles, ['user', 'assistant', 'tool', 'assistant', 'tool']);
    const finished = runner.allChatCompletions().map(({ choices }) => choices[0]?.finish_reason);
    assert.deepEqual(finished, ['tool_calls', 'tool_calls']);
  });
});
