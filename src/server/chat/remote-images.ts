/**
 * Fetches a request's images from the web before it takes a place in the engine: a slow image host holds one of the
 * places for fetching, and nobody who needs none of them. Bytes are only passed on; decoding is the processor's.
 */
import type { ChatMessage, ChatRequest, ContentPart } from '../../../actors/generation.ts';
// Loaded now, so that the first request does not wait for the HTTP client.
import '../../../actors/processor/image-fetch.ts';
import type { ImagePolicy } from '../../../actors/processor/image-policy.ts';
import { imageSourceKind, loadImageBytes } from '../../../actors/processor/image-source.ts';
import { FairQueue } from '../fair-queue.ts';

/** Images fetched at once, for all clients. */
const FETCHES = 32;

export class RemoteImages {
  readonly #policy: ImagePolicy;
  readonly #maxBytes: number;
  readonly #queue: FairQueue;

  constructor(policy: ImagePolicy, maxBytes: number, waiting: number) {
    this.#policy = policy;
    this.#maxBytes = maxBytes;
    this.#queue = new FairQueue({ places: FETCHES, waiting });
  }

  /**
   * The same request with bytes in place of web addresses.
   * @throws InputError about the first image that cannot be had; the signal's reason when it aborts
   */
  async fetchInto(chat: ChatRequest, client: string, signal: AbortSignal): Promise<ChatRequest> {
    if (!chat.messages.some(isRemote)) return chat;
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    try {
      const messages = await Promise.all(
        chat.messages.map((message, index) => this.#message(message, `messages[${index}]`, client, either)),
      );
      return { ...chat, messages };
    } catch (error) {
      failed.abort(error); // the other images are not wanted any more
      throw error;
    }
  }

  async #message(
    message: ChatMessage,
    field: string,
    client: string,
    signal: AbortSignal,
  ): Promise<ChatMessage> {
    if (!isRemote(message) || typeof message.content === 'string') return message;
    const parts = message.content.map((part, index) =>
      isRemotePart(part) ? this.#fetch(part.image, `${field}.content[${index}].image`, client, signal) : part,
    );
    return { ...message, content: await Promise.all(parts) };
  }

  async #fetch(image: string, field: string, client: string, signal: AbortSignal): Promise<ContentPart> {
    const place = await this.#queue.enter(client, signal);
    try {
      const options = { policy: this.#policy, maxBytes: this.#maxBytes, signal };
      return { type: 'image', image: new Uint8Array(await loadImageBytes(image, field, options)) };
    } finally {
      place.release();
    }
  }
}

interface RemotePart {
  readonly type: 'image';
  readonly image: string;
}

function isRemote({ content }: ChatMessage): boolean {
  return typeof content !== 'string' && content.some(isRemotePart);
}

function isRemotePart(part: ContentPart): part is RemotePart {
  return (
    part.type === 'image' && typeof part.image === 'string' && imageSourceKind(part.image, '') === 'http'
  );
}
