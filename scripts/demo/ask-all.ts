/** Goes through the demo's conversations, one request after the other. */
import type { ChatMessage, ChatResult, ChatStream, Troupe } from '../../src/index.ts';
import { type Conversation, openingMessage } from './conversations.ts';

export interface Answer extends Omit<ChatResult, 'tokenIds' | 'mode'> {
  readonly pictures: readonly string[];
  readonly question: string;
}

/** Shows an answer while it is made. */
export type Present = (
  pictures: readonly string[],
  question: string,
  stream: ChatStream,
) => Promise<ChatResult>;

export async function askAll(
  troupe: Troupe,
  conversations: readonly Conversation[],
  present: Present,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const { pictures, questions } of conversations) {
    const messages: ChatMessage[] = [];
    for (const question of questions) {
      const opening = messages.length === 0;
      messages.push(opening ? openingMessage(pictures, question) : { role: 'user', content: question });
      const {
        tokenIds: _,
        mode: __,
        ...result
      } = await present(pictures, question, troupe.stream({ messages }));
      answers.push({ pictures, question, ...result });
      messages.push({ role: 'assistant', content: result.text });
    }
  }
  return answers;
}
