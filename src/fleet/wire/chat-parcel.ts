/**
 * A request apart from its images, so that it travels as JSON with bytes behind it, and together again. All else of the
 * request passes as it is: what the engine knows, it checks. A node is given bytes alone: whatever else an image may be (a
 * file, an address) is for the gateway to open, which has the rules for it.
 */
import type { ChatRequest, ImageSource } from '../../../actors/generation.ts';
import type { ImagePolicy } from '../../../actors/image-policy.ts';
import { loadImageBytes } from '../../../actors/processor/image-source.ts';
import { isUrl } from '../../../runtime/util/realms.ts';
import { badMessage } from '../fleet-errors.ts';

/** A request as it is sent: numbers in place of images. */
export interface ChatParcel {
  readonly chat: ChatRequest<number>;
  readonly images: readonly Uint8Array[];
  /** What follows the head: the images, and the request itself where it is too large for the head. */
  readonly behind: readonly Uint8Array[];
  /** Bytes of all that follows the head. */
  readonly bytes: number;
  /** Bytes of the request, where it follows the head. */
  readonly chatBytes: number;
}

/** Characters of a request in the head of a message. */
const HEAD_CHARACTERS = 64 * 1024;

export interface ImageRules {
  readonly policy: ImagePolicy;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

type Messages<Image> = ChatRequest<Image>['messages'];

/** @throws InputError about the first image that cannot be had */
export async function packChat(chat: ChatRequest, rules: ImageRules): Promise<ChatParcel> {
  const sources: { readonly image: ImageSource; readonly field: string }[] = [];
  const messages = withImages(
    chat.messages,
    (image: ImageSource, field) => sources.push({ image, field }) - 1,
  );
  const images = await Promise.all(
    sources.map(({ image, field }) =>
      typeof image === 'string' || isUrl(image) ? loadImageBytes(image, field, rules) : image,
    ),
  );
  return parcelOf({ ...chat, messages }, images);
}

export function parcelOf(chat: ChatRequest<number>, images: readonly Uint8Array[]): ChatParcel {
  const json = JSON.stringify(chat);
  const own = json.length > HEAD_CHARACTERS ? [new TextEncoder().encode(json)] : [];
  const behind = [...images, ...own];
  const bytes = behind.reduce((sum, { length }) => sum + length, 0);
  return { chat, images, behind, bytes, chatBytes: own[0]?.length ?? 0 };
}

/** @throws TroupeError `FLEET_MESSAGE_INVALID` */
export function unpackChat(
  chat: { readonly messages: readonly unknown[] },
  images: readonly Uint8Array<ArrayBuffer>[],
): ChatRequest {
  // Of unchecked shape, which is what the engine takes from anybody; only images are touched.
  const { messages, ...rest } = chat as ChatRequest<unknown>;
  const image = (number: unknown): Uint8Array<ArrayBuffer> => {
    const bytes = typeof number === 'number' ? images[number] : undefined;
    if (bytes === undefined) throw badMessage('names an image that it does not bring');
    return bytes;
  };
  return { ...rest, messages: withImages(messages, image) };
}

/** As `mapImages`, but what else a message has stays with it. */
function withImages<From, To>(
  messages: Messages<From>,
  change: (image: From, field: string) => To,
): Messages<To> {
  return messages.map((message, i) => {
    // Without images; what is no message is the engine's to refuse.
    if (message?.role === undefined || message.role === 'tool') return message;
    const { content } = message;
    if (!isList(content)) return message as Messages<never>[number];
    return {
      ...message,
      content: content.map((part, j) =>
        part?.type === 'image'
          ? { ...part, image: change(part.image, `messages[${i}].content[${j}].image`) }
          : part,
      ),
    };
  });
}

function isList<Item>(content: string | readonly Item[] | undefined): content is readonly Item[] {
  return Array.isArray(content);
}
