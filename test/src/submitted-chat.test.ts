import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContentPart, ImageSource } from '../../actors/generation.ts';
import { submittedChat } from '../../src/submitted-chat.ts';

function submittedImage(image: ImageSource): unknown {
  const content: ContentPart[] = [
    { type: 'image', image },
    { type: 'text', text: 'What?' },
  ];
  const [message] = submittedChat({ messages: [{ role: 'user', content }] }).messages;
  const [part] = message?.content ?? [];
  return typeof part === 'object' && part.type === 'image' ? part.image : undefined;
}

describe('a request on its way to another thread', () => {
  it('has its URL objects as strings', () => {
    assert.equal(submittedImage(new URL('https://example.org/a.png')), 'https://example.org/a.png');
  });

  it('has small buffers without the pool that they are cut from', () => {
    const pooled = Buffer.from('small');
    assert(pooled.byteLength < pooled.buffer.byteLength, 'this buffer is pooled');
    const submitted = submittedImage(pooled);
    assert(submitted instanceof Uint8Array);
    assert.equal(submitted.buffer.byteLength, pooled.byteLength);
    assert.equal(Buffer.from(submitted).toString(), 'small');
  });

  it('has neither signal nor timeout, nor fields that were not given', () => {
    const chat = submittedChat({
      messages: [],
      signal: AbortSignal.abort(),
      timeoutMs: 5,
      seed: 1,
      maxTokens: 2,
    });
    assert.deepEqual(chat, { messages: [], seed: 1, maxTokens: 2 });
  });
});
