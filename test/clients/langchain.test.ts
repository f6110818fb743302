import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AIMessageChunk, type BaseMessage, HumanMessage, SystemMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { z } from 'zod';
import {
  ANSWER,
  KEY,
  MODEL,
  NEXT_QUESTION,
  PICTURE,
  PROMPT_TOKENS,
  QUESTION,
  SECOND_TURN,
  type Served,
  SYSTEM,
  serve,
  USER,
} from './support.ts';

/** As its documentation writes a picture, and as many programs do: the address alone. */
const asked = [
  new HumanMessage({
    content: [
      { type: 'image_url', image_url: PICTURE },
      { type: 'text', text: QUESTION },
    ],
  }),
  new HumanMessage({
    content: [
      { type: 'image_url', image_url: { url: PICTURE, detail: 'low' } },
      { type: 'text', text: QUESTION },
    ],
  }),
  new HumanMessage({
    contentBlocks: [
      { type: 'image', data: PICTURE.slice(PICTURE.indexOf(',') + 1), mimeType: 'image/png' },
      { type: 'text', text: QUESTION },
    ],
  }),
];
const schema = z.object({ color: z.enum(['red', 'blue']) });
const [user] = asked;
assert(user !== undefined);

describe('LangChain', () => {
  let served: Served;
  let chat: ChatOpenAI;

  before(async () => {
    served = await serve();
    chat = new ChatOpenAI({
      model: MODEL,
      apiKey: KEY,
      maxRetries: 0,
      configuration: { baseURL: served.baseURL },
    });
  });
  after(() => served.stop());

  it('chats about a picture, however it is written', async () => {
    for (const message of asked) {
      const answer = await chat.invoke([message]);
      assert.equal(answer.text, ANSWER);
      assert.equal(promptTokensOf(answer), PROMPT_TOKENS);
    }
  });

  it('streams', async () => {
    let text = '';
    for await (const chunk of await chat.stream([user])) text += chunk.text;
    assert.equal(text, ANSWER);
  });

  it('goes on with its own message, whole or gathered from a stream, and with named speakers', async () => {
    const plain = await served.plainly(SECOND_TURN);
    let gathered = new AIMessageChunk('');
    for await (const chunk of await chat.stream([user])) gathered = gathered.concat(chunk);
    for (const said of [await chat.invoke([user]), gathered] satisfies BaseMessage[]) {
      const answer = await chat.invoke([
        user,
        said,
        new HumanMessage({ content: NEXT_QUESTION, name: 'Ann', id: 'message-3' }),
      ]);
      assert.equal(answer.text, plain.text);
      assert.equal(promptTokensOf(answer), plain.promptTokens);
    }
  });

  it('gives a system message', async () => {
    const answer = await chat.invoke([new SystemMessage(SYSTEM), user]);
    const plain = await served.plainly([{ role: 'system', content: SYSTEM }, USER]);
    assert.equal(answer.text, plain.text);
    assert.equal(promptTokensOf(answer), plain.promptTokens);
  });

  it('gives typed objects', async () => {
    for (const method of ['jsonSchema', 'functionCalling'] as const) {
      const object = await chat.withStructuredOutput(schema, { name: 'seen', method }).invoke([user]);
      assert(schema.safeParse(object).success, `${method}: ${JSON.stringify(object)}`);
    }
  });

  it('has bound tools called, and goes on with their results', async () => {
    const paint = tool(async ({ color }) => `painted ${color}`, {
      name: 'paint',
      description: 'Paints.',
      schema,
    });
    const bound = chat.bindTools([paint], { tool_choice: 'required', parallel_tool_calls: false });
    const answer = await bound.invoke([user]);
    assert.equal(answer.response_metadata.finish_reason, 'tool_calls');
    const [call] = answer.tool_calls ?? [];
    assert(call !== undefined && call.id !== undefined);
    assert.equal(call.name, 'paint');
    const result = await paint.invoke({ ...call, id: call.id, type: 'tool_call' });
    assert.match(result.text, /^painted (red|blue)$/);
    const next = await bound.invoke([user, answer, result]);
    assert.equal(next.tool_calls?.[0]?.name, 'paint');
  });
});

function promptTokensOf({ response_metadata }: AIMessageChunk): unknown {
  const { usage } = response_metadata;
  assert(typeof usage === 'object' && usage !== null && 'prompt_tokens' in usage);
  return usage.prompt_tokens;
}
