/** A validated conversation as templates take it. */
import { createHash } from 'node:crypto';
import type { ChatMessage } from '../generation.ts';
import type { TemplateCall, TemplateMessage } from '../model/chat-template.ts';
import { contentParts } from '../processor/validate-messages.ts';
import { argumentsOf } from './tool-history.ts';
import type { ToolStyle } from './tool-style.ts';

/** @param messages validated; see `validateToolMessages` */
export function toTemplateMessages(messages: readonly ChatMessage[], style: ToolStyle): TemplateMessage[] {
  /** Name and id of what was called, by the client's id. */
  const called = new Map<string, Pick<TemplateCall, 'id' | 'name'>>();
  return messages.map((message): TemplateMessage => {
    const { role } = message;
    const content = contentParts(message.content).map((part) =>
      part.type === 'text' ? { type: part.type, text: part.text } : { type: part.type },
    );
    if (role === 'tool') {
      const resultOf = called.get(message.toolCallId) ?? { id: message.toolCallId, name: '' };
      return { role, content, resultOf };
    }
    if (role !== 'assistant' || message.toolCalls === undefined || message.toolCalls.length === 0) {
      return { role, content };
    }
    const toolCalls = message.toolCalls.map(({ id, name, arguments: given }) => {
      const call = { id: idFor(style, id), name };
      called.set(id, call);
      return { ...call, arguments: argumentsOf(given) ?? {} };
    });
    return { role, content, toolCalls };
  });
}

/** Mistral's templates refuse ids other than nine letters and digits; a client may have others from elsewhere. */
function idFor(style: ToolStyle, id: string): string {
  if (!style.startsWith('mistral') || /^[a-zA-Z0-9]{9}$/.test(id)) return id;
  return createHash('sha256').update(id).digest('hex').slice(0, 9);
}
