/**
 * Fetches a request's images from the web before it takes a place in the engine: a slow image host holds one of the
 * places for fetching, and nobody who needs none of them. Bytes are only passed on; decoding is the processor's.
 */
import type { ChatMessage, ChatRequest, ContentPart } from '../../../actors/generation.ts';
// Loaded now, so that the first request does not wait for the HTTP client.
import '../../../actors/processor/image-fetch.ts';
import type { ImagePolicy } from '../../../actors/image-policy.ts';
import { imageSourceKind, loadImageBytes } from '../../../actors/processor/image-source.ts';
import { FairQueue } from '../fair-queue.ts';
import { WaitingBudget } from '../waiting-budget.ts';
import { FetchedBytes } from './fetched-bytes.ts';

/** Requests whose images are fetched at once, for all clients. */
const FETCHES = 32;

export interface RemoteImagesOptions {
  readonly policy: ImagePolicy;
  /** Of one image. */
  readonly maxBytes: number;
  /** Of all fetched images of all requests, until they are answered. */
  readonly budgetBytes: number;
  /** Requests that may wait for a place. */
  readonly waiting: number;
}

export interface FetchedChat {
  /** The same request with bytes in place of web addresses. */
  readonly chat: ChatRequest;
  /** Gives the bytes back, when nobody needs them any more. */
  release(): void;
}

export class RemoteImages {
  readonly #policy: ImagePolicy;
  readonly #maxBytes: number;
  readonly #queue: FairQueue;
  readonly #budget: WaitingBudget;

  constructor({ policy, maxBytes, budgetBytes, waiting }: RemoteImagesOptions) {
    this.#policy = policy;
    this.#maxBytes = maxBytes;
    this.#budget = new WaitingBudget(budgetBytes);
    this.#queue = new FairQueue({ places: FETCHES, waiting });
  }

  /** Bytes of fetched images that are held, and those about to be. */
  get heldBytes(): number {
    return this.#budget.used;
  }

  /** @throws InputError about the first image that cannot be had; the signal's reason when it aborts */
  async fetch(chat: ChatRequest, client: string, signal: AbortSignal): Promise<FetchedChat> {
    const images = chat.messages.flatMap(remoteParts).length;
    if (images === 0) return { chat, release: () => undefined };
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const bytes = new FetchedBytes(this.#budget, images, this.#maxBytes, either);
    // All images of a request together: with half of them it could only hold what others wait for.
    const place = await this.#queue.enter(client, signal);
    try {
      const fetched: Uint8Array<ArrayBuffer>[] = [];
      const fetch: FetchImage = async (image, field) => {
        const admit = (announced: number | undefined) => bytes.admit(announced);
        const loaded = await this.#load(image, field, admit, either);
        fetched.push(loaded);
        return loaded;
      };
      const messages = await Promise.all(
        chat.messages.map((message, index) => withFetched(message, `messages[${index}]`, fetch)),
      );
      bytes.complete(fetched.reduce((sum, image) => sum + image.length, 0));
      const release = () => {
        // Now, and not with the next collection, which looks at other memory.
        for (const image of fetched) if (!image.buffer.detached) image.buffer.transfer(0);
        bytes.release();
      };
      return { chat: { ...chat, messages }, release };
    } catch (error) {
      failed.abort(error); // the other images are not wanted any more
      bytes.release();
      throw error;
    } finally {
      place.release();
    }
  }

  async #load(
    image: string,
    field: string,
    admit: (announced: number | undefined) => Promise<number>,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const options = { policy: this.#policy, maxBytes: this.#maxBytes, signal, admit };
    // What the fetch collected lies in memory of its own, which can be sent to another thread.
    return (await loadImageBytes(image, field, options)) as Uint8Array<ArrayBuffer>;
  }
}

type FetchImage = (image: string, field: string) => Promise<Uint8Array<ArrayBuffer>>;

async function withFetched(message: ChatMessage, field: string, fetch: FetchImage): Promise<ChatMessage> {
  const { content } = message;
  if (typeof content === 'string' || message.role === 'tool') return message;
  if (remoteParts(message).length === 0) return message;
  const parts = content.map(
    async (part, index): Promise<ContentPart> =>
      isRemotePart(part)
        ? { type: 'image', image: await fetch(part.image, `${field}.content[${index}].image`) }
        : part,
  );
  return { ...message, content: await Promise.all(parts) };
}

interface RemotePart {
  readonly type: 'image';
  readonly image: string;
}

function remoteParts({ role, content }: ChatMessage): RemotePart[] {
  return typeof content === 'string' || role === 'tool' ? [] : content.filter(isRemotePart);
}

function isRemotePart(part: ContentPart): part is RemotePart {
  return (
    part.type === 'image' && typeof part.image === 'string' && imageSourceKind(part.image, '') === 'http'
  );
}
