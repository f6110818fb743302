/** Reads the images that a caller gave as Blobs or Files: only they know where their bytes are. */
import { InputError } from '../actors/errors.ts';
import type { ChatRequest, ImageSource } from '../actors/generation.ts';
import { tooManyBytes } from '../actors/processor/image-limits.ts';
import { shownValue } from '../actors/shown-value.ts';
import { type BlobLike, isBlob } from '../runtime/util/realms.ts';
import { mapImages } from './map-images.ts';

/** A request whose Blobs have not been read yet. */
export type UnreadChat = ChatRequest<ImageSource | BlobLike>;

/** What bounds the reading. */
export interface BlobLimits {
  /** Images in one request. With more nothing is read: the processor refuses the request whatever they are. */
  readonly maxImages: number;
  /** Bytes of one image. */
  readonly maxImageBytes: number;
}

/**
 * The very same request, at once, where there is no Blob.
 *
 * @throws InputError `IMAGE_TOO_LARGE_BYTES` before that Blob is read, `IMAGE_UNREADABLE`
 */
export function readBlobs(chat: UnreadChat, limits: BlobLimits): ChatRequest | Promise<ChatRequest> {
  const blobs = new Map<BlobLike, string>();
  let images = 0;
  const withoutBlobs = mapped(chat, (image, field) => {
    images += 1;
    if (!isBlob(image)) return image;
    if (!blobs.has(image)) blobs.set(image, field);
    return NOTHING;
  });
  if (blobs.size === 0 || images > limits.maxImages) return withoutBlobs;
  return readInto(chat, blobs, limits.maxImageBytes);
}

const NOTHING = new Uint8Array(0);

async function readInto(
  chat: UnreadChat,
  blobs: ReadonlyMap<BlobLike, string>,
  maxBytes: number,
): Promise<ChatRequest> {
  const read = new Map<BlobLike, Uint8Array<ArrayBuffer>>();
  for (const [blob, field] of blobs) read.set(blob, await bytesOf(blob, field, maxBytes));
  return mapped(chat, (image) => (isBlob(image) ? (read.get(image) ?? NOTHING) : image));
}

function mapped(
  chat: UnreadChat,
  change: (image: ImageSource | BlobLike, field: string) => ImageSource,
): ChatRequest {
  const { messages, ...rest } = chat;
  // What is no list is left to the processor to refuse.
  return { ...rest, messages: Array.isArray(messages) ? mapImages(messages, change) : (messages as never) };
}

async function bytesOf(blob: BlobLike, field: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (blob.size > maxBytes) throw tooManyBytes(field, blob.size, maxBytes);
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    const facts = {
      field,
      value: shownValue(blob),
      remedy: 'Check that what it was made of is still there.',
    };
    throw new InputError('IMAGE_UNREADABLE', 'the Blob cannot be read', facts, cause);
  }
}
