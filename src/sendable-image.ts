/** An image as a caller has it, in a form that another thread can be sent. */
import { types } from 'node:util';
import { InputError } from '../actors/errors.ts';
import type { ImageSource } from '../actors/generation.ts';
import { IMAGE_INPUT_REMEDY } from '../actors/processor/image-source.ts';
import { shownValue } from '../actors/shown-value.ts';
import { type BlobLike, isBlob, isUrl } from '../runtime/util/realms.ts';
import type { ImageInput } from './chat-types.ts';

/**
 * Blobs stay: their bytes are read once the request is on its way (`read-blobs.ts`). What is no object is left to the
 * processor to refuse.
 *
 * @param field where the image sits in the request: `messages[0].content[1].image`
 * @throws InputError `INVALID_CONTENT` for an object or function that is no image
 */
export function sendableImage(image: ImageInput, field: string): ImageSource | BlobLike {
  if (isUrl(image)) return image.href;
  if (types.isAnyArrayBuffer(image)) return ownBytes(image, 0, image.byteLength);
  if (ArrayBuffer.isView(image)) return viewedBytes(image);
  if (isBlob(image) || !isObject(image)) return image;
  throw new InputError('INVALID_CONTENT', 'is no image source', {
    field,
    value: shownValue(image),
    remedy: IMAGE_INPUT_REMEDY,
  });
}

/** Callers in plain JavaScript may pass anything. */
function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function viewedBytes(view: ArrayBufferView): Uint8Array<ArrayBuffer> {
  // Of a DataView nothing can be asked once its buffer is gone.
  if (isDetached(view.buffer)) return new Uint8Array(0);
  return ownBytes(view.buffer, view.byteOffset, view.byteLength);
}

/**
 * A copy, unless they are all of their buffer: a small Buffer is a view of a large pool, all of which would be cloned,
 * and shared memory may change while the image is looked at.
 */
function ownBytes(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array<ArrayBuffer> {
  if (isDetached(buffer)) return new Uint8Array(0);
  if (types.isArrayBuffer(buffer) && length === buffer.byteLength) return new Uint8Array(buffer);
  return new Uint8Array(new Uint8Array(buffer, offset, length));
}

function isDetached(buffer: ArrayBufferLike): boolean {
  return 'detached' in buffer && buffer.detached;
}
