import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BodyReader } from '../../../../src/server/body/body-reader.ts';
import { ReceivedBody } from '../../../../src/server/http/received-body.ts';

const MIB = 1024 * 1024;
const READING = { client: 'a', modelNames: ['m'], contextLength: 1024, signal: new AbortController().signal };
const FACTS = { allowPull: false, maxImages: 4, maxImageBytes: MIB, maxBodyBytes: MIB };

function large(): ReceivedBody {
  const body = new ReceivedBody();
  body.push(new Uint8Array(64 * 1024).fill(0x20));
  return body;
}

describe('the thread that reads large bodies', { timeout: 60_000 }, () => {
  it('that cannot begin fails every body, and keeps nobody waiting', async () => {
    const worker = new URL('../../inspect/workers/cannot-begin.ts', import.meta.url).href;
    const reader = new BodyReader(FACTS, worker);
    const failure = { code: 'THREAD_FAILED', message: /reads large bodies.*a part of it is missing/ };
    for (let i = 0; i < 3; i++) await assert.rejects(reader.read('chat', large(), READING), failure);
    await reader.close();
  });

  it('refuses a text that no context holds, without handing it on', async () => {
    const reader = new BodyReader({ ...FACTS, maxBodyBytes: 4 * MIB });
    const body = new ReceivedBody();
    const half = [{ type: 'text', text: 'a'.repeat(MIB / 2) }];
    const messages = [
      { role: 'user', content: half },
      { role: 'user', content: half },
    ];
    body.push(new Uint8Array(Buffer.from(JSON.stringify({ messages }))));
    await assert.rejects(reader.read('chat', body, READING), {
      message: /^messages: .*1048576 characters/,
    });
    await reader.close();
  });

  it('refuses one body and reads the next', async () => {
    const reader = new BodyReader(FACTS);
    await assert.rejects(reader.read('chat', large(), READING), { name: 'ApiError' });
    const text = 'a'.repeat(10_000);
    const body = new ReceivedBody();
    const json = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: text }] }));
    body.push(new Uint8Array(json));
    const { chat, clientFields } = await reader.read('chat', body, READING);
    assert.deepEqual(chat.messages, [{ role: 'user', content: text }]);
    assert.equal(clientFields.size, 0);
    await reader.close();
  });
});
