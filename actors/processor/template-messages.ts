/** A validated conversation as templates take it. */
import type { ChatMessage } from '../generation.ts';
import type { TemplateCall, TemplateMessage } from '../model/chat-template.ts';
import { knownCallId } from '../tools/call-ids.ts';
import { argumentsOf } from '../tools/tool-history.ts';
import type { ToolStyle } from '../tools/tool-style.ts';
import { contentParts } from './validate-messages.ts';

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
      const call = { id: knownCallId(style, id), name };
      called.set(id, call);
      return { ...call, arguments: argumentsOf(given) ?? {} };
    });
    return { role, content, toolCalls };
  });
}
