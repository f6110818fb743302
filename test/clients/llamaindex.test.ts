import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OpenAI } from '@llamaindex/openai';
import { type ChatMessage, SimpleChatEngine } from 'llamaindex';
import {
  ANSWER,
  KEY,
  MODEL,
  NEXT_QUESTION,
  PICTURE,
  PICTURE_BASE64,
  QUESTION,
  SECOND_TURN,
  type Served,
  SYSTEM,
  serve,
  USER,
} from './support.ts';

const text = { type: 'text' as const, text: QUESTION };

/** By its address, and by its bytes, which the client sends as a file. */
const asked: ChatMessage[] = [
  { role: 'user', content: [{ type: 'image_url', image_url: { url: PICTURE } }, text] },
  { role: 'user', content: [{ type: 'image', data: PICTURE_BASE64, mimeType: 'image/png' }, text] },
];
const [user] = asked;
assert(user !== undefined);

describe('LlamaIndex', () => {
  let served: Served;
  let llm: OpenAI;

  before(async () => {
    served = await serve();
    llm = new OpenAI({ model: MODEL, apiKey: KEY, baseURL: served.baseURL, maxRetries: 0, temperature: 0 });
  });
  after(() => served.stop());

  it('chats about a picture, however it is given', async () => {
    for (const message of asked) {
      const { message: said } = await llm.chat({ messages: [message] });
      assert.equal(said.content, ANSWER);
    }
  });

  it('streams', async () => {
    let streamed = '';
    for await (const { delta } of await llm.chat({ messages: [user], stream: true })) streamed += delta;
    assert.equal(streamed, ANSWER);
  });

  it('goes on with its own message', async () => {
    const { message: said } = await llm.chat({ messages: [user] });
    const { message } = await llm.chat({
      messages: [user, said, { role: 'user', content: NEXT_QUESTION }],
    });
    assert.equal(message.content, (await served.plainly(SECOND_TURN)).text);
  });

  it('keeps a conversation by its chat engine, with a system message', async () => {
    const engine = new SimpleChatEngine({ llm });
    const chatHistory: ChatMessage[] = [{ role: 'system', content: SYSTEM }];
    const first = await engine.chat({ message: [...asPartsOf(user)], chatHistory });
    const system = { role: 'system', content: SYSTEM };
    assert.equal(first.message.content, (await served.plainly([system, USER])).text);
    const second = await engine.chat({
      message: NEXT_QUESTION,
      chatHistory: [...chatHistory, user, first.message],
    });
    const turns = [
      system,
      USER,
      { role: 'assistant', content: first.message.content },
      { role: 'user', content: NEXT_QUESTION },
    ];
    assert.equal(second.message.content, (await served.plainly(turns)).text);
  });
});

function asPartsOf({ content }: ChatMessage) {
  assert(Array.isArray(content));
  return content;
}
