/** Frees the bytes of a request's images at once; the collector, which looks at other memory, would come much later. */
import { types } from 'node:util';
import type { ChatRequest } from '../generation.ts';

/** @param chat whose images nobody reads any more, native code included; each is in memory of its own */
export function freeImages({ messages }: ChatRequest): void {
  for (const { content } of messages) {
    if (typeof content === 'string') continue;
    for (const part of content) {
      if (part.type !== 'image' || !types.isUint8Array(part.image)) continue;
      const { buffer } = part.image;
      if (types.isArrayBuffer(buffer) && !buffer.detached) buffer.transfer(0);
    }
  }
}
