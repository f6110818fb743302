/** Puts something else in the place of each image of a conversation. */
import type { ChatMessage, ContentPart } from '../actors/generation.ts';

/**
 * Only what looks like an image part is touched: callers in plain JavaScript may pass anything, and the processor says
 * what is wrong with it. Fields that messages do not have are left behind.
 *
 * @param change gets the image and where it sits: `messages[0].content[1].image`
 */
export function mapImages<From, To>(
  messages: readonly ChatMessage<From>[],
  change: (image: From, field: string) => To,
): ChatMessage<To>[] {
  return messages.map((message, i) => {
    const content = message?.content;
    if (!isList(content) || message.role === 'tool') return message as ChatMessage<never>; // it has no images
    const parts = content.map((part, j) => changed(part, `messages[${i}].content[${j}].image`));
    const { role } = message;
    if (role !== 'assistant' || message.toolCalls === undefined) return { role, content: parts };
    return { role, content: parts, toolCalls: message.toolCalls };
  });

  function changed(part: ContentPart<From>, field: string): ContentPart<To> {
    return part?.type === 'image' ? { type: 'image', image: change(part.image, field) } : part;
  }
}

function isList<Item>(content: string | readonly Item[] | undefined): content is readonly Item[] {
  return Array.isArray(content);
}
