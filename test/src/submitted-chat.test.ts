import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import type { ContentPart, ImageInput } from '../../src/chat-types.ts';
import { submittedChat } from '../../src/submitted-chat.ts';

const elsewhere = (code: string) => runInContext(`(${code})`, createContext({}));

function submittedImage(image: ImageInput): unknown {
  const content: ContentPart[] = [
    { type: 'image', image },
    { type: 'text', text: 'What?' },
  ];
  const [message] = submittedChat({ messages: [{ role: 'user', content }] }).messages;
  const [part] = message?.content ?? [];
  return typeof part === 'object' && part.type === 'image' ? part.image : undefined;
}

/** What arrives on the other thread. */
function arrived(image: ImageInput): unknown {
  return structuredClone(submittedImage(image));
}

const IMAGE = [137, 80, 78, 71];

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

  it('has every buffer and view as its bytes', () => {
    const padded = Uint8Array.of(0, 0, ...IMAGE, 0, 0);
    const shared = new Uint8Array(new SharedArrayBuffer(IMAGE.length));
    shared.set(IMAGE);
    const inputs: ImageInput[] = [
      Uint8Array.from(IMAGE),
      Buffer.from(IMAGE),
      Uint8Array.from(IMAGE).buffer,
      shared.buffer,
      shared,
      padded.subarray(2, 6),
      new DataView(padded.buffer, 2, 4),
      new Uint8ClampedArray(padded.buffer, 2, 4),
      new Uint16Array(padded.buffer, 2, 2),
      elsewhere(`Uint8Array.of(${IMAGE})`) as Uint8Array,
      elsewhere(`Uint8Array.of(${IMAGE}).buffer`) as ArrayBuffer,
      elsewhere(`new DataView(Uint8Array.of(0, ${IMAGE}).buffer, 1)`) as DataView,
    ];
    for (const input of inputs) assert.deepEqual(arrived(input), Uint8Array.from(IMAGE));
  });

  it('has bytes of shared memory as they were, whatever becomes of it', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(1));
    const submitted = submittedImage(shared);
    shared[0] = 7;
    assert.deepEqual(submitted, Uint8Array.of(0));
  });

  it('has no bytes of a buffer that was given away', () => {
    const view = Uint8Array.from(IMAGE);
    const dataView = new DataView(view.buffer);
    const { buffer } = view;
    structuredClone(buffer, { transfer: [buffer] });
    for (const input of [view, dataView, buffer]) assert.deepEqual(arrived(input), new Uint8Array(0));
  });

  it('keeps Blobs and Files, whose bytes are read later', () => {
    const file = new File(['x'], 'x.png');
    assert.equal(submittedImage(file), file);
  });

  it('refuses, by its place, an object that is no image', () => {
    for (const image of [
      {},
      [1, 2],
      new Response('x'),
      new ReadableStream(),
      () => 'x',
      Promise.resolve('x'),
    ]) {
      assert.throws(
        () => submittedImage(image as never),
        (error: Error) => {
          assert.equal(Reflect.get(error, 'code'), 'INVALID_CONTENT');
          assert.match(
            error.message,
            /^messages\[0\]\.content\[0\]\.image: is no image source .*Blob or File/,
          );
          return true;
        },
      );
    }
  });

  it('leaves what is no conversation to the processor, as it is', () => {
    for (const messages of [
      'hi',
      5,
      null,
      undefined,
      [null],
      [5],
      [{ role: 'user' }],
      [{ role: 'user', content: [null, 'x'] }],
    ]) {
      assert.deepEqual(submittedChat({ messages } as never).messages, messages);
    }
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

  it('may have a signal of another class that does what one does', () => {
    const signal = Object.assign(new EventTarget(), { aborted: false }) as AbortSignal;
    assert.deepEqual(submittedChat({ messages: [], signal }), { messages: [] });
  });

  it('is an object', () => {
    for (const request of [null, undefined, 'hi', 5, [], [{ role: 'user', content: 'Hi' }]])
      assert.throws(() => submittedChat(request as never), { code: 'INVALID_REQUEST' });
  });
});
