/** Holds the test conversations through the public API and counts which are right, word for word. */
import type { ChatMessage, Troupe } from '../../src/index.ts';
import type { Item, Turn } from './held-out.ts';

/** As many as the engine decodes together by default. */
const IN_FLIGHT = 16;

export interface Failure extends Turn {
  readonly item: number;
  readonly answer: string;
}

export interface Score {
  readonly items: number;
  /** Items of which every answer is right. */
  readonly right: number;
  /** The first wrong answer of each other item, by item. */
  readonly failures: readonly Failure[];
}

/** @param onItem called after each item */
export async function score(troupe: Troupe, items: readonly Item[], onItem: () => void): Promise<Score> {
  const failures: Failure[] = [];
  const queue = items.entries();
  const ask = async () => {
    for (const [index, item] of queue) {
      const failure = await firstFailure(troupe, item);
      if (failure !== undefined) failures.push({ item: index, ...failure });
      onItem();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, ask));
  failures.sort((a, b) => a.item - b.item);
  return { items: items.length, right: items.length - failures.length, failures };
}

/** Later turns are asked with the model's own earlier answers before them; after a wrong answer no more are asked. */
async function firstFailure(
  troupe: Troupe,
  { images, turns }: Item,
): Promise<Omit<Failure, 'item'> | undefined> {
  const messages: ChatMessage[] = [];
  for (const turn of turns) {
    const text = { type: 'text', text: turn.question } as const;
    const pictures = messages.length > 0 ? [] : images.map((image) => ({ type: 'image', image }) as const);
    messages.push({ role: 'user', content: [...pictures, text] });
    const { text: answer } = await troupe.chat({ messages, temperature: 0 });
    if (answer !== turn.expected) return { ...turn, answer };
    messages.push({ role: 'assistant', content: answer });
  }
  return undefined;
}
