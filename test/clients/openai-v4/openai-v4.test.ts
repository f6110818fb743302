import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
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
} from '../support.ts';

type Message = OpenAI.Chat.CreateChatCompletionRequestMessage;

/** The types of that time know only text. */
const user = USER as unknown as Message;

describe('version 4.0.0 of the client of OpenAI', () => {
  let served: Served;
  let client: OpenAI;

  before(async () => {
    served = await serve();
    client = new OpenAI({ baseURL: served.baseURL, apiKey: KEY, maxRetries: 0 });
  });
  after(() => served.stop());

  it('chats about a picture', async () => {
    const { choices, usage } = await client.chat.completions.create({ model: MODEL, messages: [user] });
    assert.equal(choices[0]?.message.content, ANSWER);
    assert.equal(usage?.prompt_tokens, PROMPT_TOKENS);
  });

  it('streams', async () => {
    const stream = await client.chat.completions.create({ model: MODEL, messages: [user], stream: true });
    let text = '';
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    assert.equal(text, ANSWER);
  });

  it('goes on with the message that it was given', async () => {
    const { choices } = await client.chat.completions.create({ model: MODEL, messages: [user] });
    const said = choices[0]?.message;
    assert(said !== undefined);
    const messages: Message[] = [user, said, { role: 'user', content: NEXT_QUESTION }];
    const answer = await client.chat.completions.create({ model: MODEL, messages });
    const plain = await served.plainly(SECOND_TURN);
    assert.equal(answer.choices[0]?.message.content, plain.text);
    assert.equal(answer.usage?.prompt_tokens, plain.promptTokens);
  });

  it('gives a system message', async () => {
    const messages: Message[] = [{ role: 'system', content: SYSTEM }, user];
    const answer = await client.chat.completions.create({ model: MODEL, messages });
    const plain = await served.plainly(messages);
    assert.equal(answer.choices[0]?.message.content, plain.text);
    assert.equal(answer.usage?.prompt_tokens, plain.promptTokens);
  });
});
