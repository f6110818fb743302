import assert from 'node:assert/strict';
import { it } from 'node:test';
import { freeImages } from '../../../actors/processor/free-images.ts';

it('frees the bytes of every image of a conversation at once, one that comes twice too', () => {
  const images = [new Uint8Array(8), new Uint8Array(16)] as const;
  const [first, second] = images;
  const part = (image: Uint8Array<ArrayBuffer> | string) => ({ type: 'image', image }) as const;
  const text = { type: 'text', text: 'What is this?' } as const;
  freeImages({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [part(first), text, part(first)] },
      { role: 'user', content: [part('https://a.example/b.png'), part(second)] },
    ],
  });
  for (const { buffer } of images) assert.equal(buffer.detached, true);
});
