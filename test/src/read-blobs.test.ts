import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImageSource } from '../../actors/generation.ts';
import type { BlobLike } from '../../runtime/util/realms.ts';
import { readBlobs, type UnreadChat } from '../../src/read-blobs.ts';

const LIMITS = { maxImages: 2, maxImageBytes: 4 };

const chatOf = (...images: (ImageSource | BlobLike)[]): UnreadChat => ({
  messages: [
    { role: 'system', content: 'Look.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What?' },
        ...images.map((image) => ({ type: 'image' as const, image })),
      ],
    },
  ],
  seed: 3,
});

const UNREADABLE: BlobLike = {
  size: 1,
  arrayBuffer: () => Promise.reject(new Error('the file has changed')),
};

describe('the Blobs of a request', () => {
  it('are read, each in its place', async () => {
    const chat = await readBlobs(chatOf(new File(['ab'], 'x.png'), 'a.png'), LIMITS);
    assert.deepEqual(chat, chatOf(Uint8Array.from(Buffer.from('ab')), 'a.png'));
  });

  it('may be of any class', async () => {
    const polyfilled: BlobLike = { size: 1, arrayBuffer: async () => Uint8Array.of(9).buffer };
    assert.deepEqual(await readBlobs(chatOf(polyfilled), LIMITS), chatOf(Uint8Array.of(9)));
  });

  it('are read once, however often they are shown', async () => {
    let reads = 0;
    const counted: BlobLike = { size: 1, arrayBuffer: async () => Uint8Array.of(++reads).buffer };
    assert.deepEqual(
      await readBlobs(chatOf(counted, counted), LIMITS),
      chatOf(Uint8Array.of(1), Uint8Array.of(1)),
    );
  });

  it('are waited for only where there are some', () => {
    assert.deepEqual(readBlobs(chatOf('a.png'), LIMITS), chatOf('a.png'));
  });

  it('that are too large are not read', async () => {
    const large: BlobLike = { size: 5, arrayBuffer: () => assert.fail('it was read') };
    await assert.rejects(async () => readBlobs(chatOf('a.png', large), LIMITS), {
      code: 'IMAGE_TOO_LARGE_BYTES',
      details: {
        field: 'messages[1].content[2].image',
        value: 5,
        remedy: 'Scale the image down, compress it, or raise limits.maxImageBytes.',
      },
    });
  });

  it('that cannot be read are refused with why', async () => {
    await assert.rejects(
      async () => readBlobs(chatOf(UNREADABLE), LIMITS),
      (error: Error) => {
        assert.equal(Reflect.get(error, 'code'), 'IMAGE_UNREADABLE');
        assert.match(String(error.cause), /the file has changed/);
        return true;
      },
    );
  });

  it('are not read when there are more images than a request may have', () => {
    const chat = readBlobs(chatOf(UNREADABLE, 'a.png', 'b.png'), LIMITS);
    assert(!('then' in chat));
  });
});
