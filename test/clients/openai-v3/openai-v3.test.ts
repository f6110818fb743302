import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type ChatCompletionRequestMessage, Configuration, OpenAIApi } from 'openai';
import { eventsOf } from '../../server/support/server.ts';
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

/** The types of that time know only text. */
const user = USER as unknown as ChatCompletionRequestMessage;

describe('version 3.2.0 of the client of OpenAI, the first that could chat', () => {
  let served: Served;
  let client: OpenAIApi;

  before(async () => {
    served = await serve();
    client = new OpenAIApi(new Configuration({ basePath: served.baseURL, apiKey: KEY }));
  });
  after(() => served.stop());

  it('chats about a picture', async () => {
    const { data } = await client.createChatCompletion({ model: MODEL, messages: [user] });
    assert.equal(data.choices[0]?.message?.content, ANSWER);
    assert.equal(data.usage?.prompt_tokens, PROMPT_TOKENS);
  });

  it('streams, as far as it could: the events are read by its caller', async () => {
    const asked = { model: MODEL, messages: [user], stream: true };
    const { data } = await client.createChatCompletion(asked, { responseType: 'stream' });
    // What axios gives for this type of response; its own types say JSON.
    const events = eventsOf(await text(data as unknown as Readable)) as {
      choices: { delta: { content?: string } }[];
    }[];
    assert.equal(events.map(({ choices: [choice] }) => choice?.delta.content ?? '').join(''), ANSWER);
  });

  it('goes on with the message that it was given', async () => {
    const { data } = await client.createChatCompletion({ model: MODEL, messages: [user] });
    const said = data.choices[0]?.message;
    assert(said !== undefined);
    const messages: ChatCompletionRequestMessage[] = [user, said, { role: 'user', content: NEXT_QUESTION }];
    const answer = await client.createChatCompletion({ model: MODEL, messages });
    const plain = await served.plainly(SECOND_TURN);
    assert.equal(answer.data.choices[0]?.message?.content, plain.text);
    assert.equal(answer.data.usage?.prompt_tokens, plain.promptTokens);
  });

  it('gives a system message', async () => {
    const messages: ChatCompletionRequestMessage[] = [{ role: 'system', content: SYSTEM }, user];
    const answer = await client.createChatCompletion({ model: MODEL, messages });
    const plain = await served.plainly(messages);
    assert.equal(answer.data.choices[0]?.message?.content, plain.text);
    assert.equal(answer.data.usage?.prompt_tokens, plain.promptTokens);
  });
});
