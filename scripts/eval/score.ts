/** Holds the test conversations through the public API and counts which are right, word for word. */
import type { ChatMessage, Troupe } from '../../src/index.ts';
import type { Item, Turn } from './held-out.ts';
import { type Layout, openingOf, questionOf } from './layouts.ts';

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

/**
 * An item is asked in all layouts, one after the other, so that its pictures are encoded once.
 *
 * @param onItem called after each item
 */
export async function score<L extends Layout>(
  troupe: Troupe,
  items: readonly Item[],
  layouts: readonly L[],
  onItem: () => void,
): Promise<ReadonlyMap<L, Score>> {
  const failures = new Map(layouts.map((layout) => [layout, [] as Failure[]]));
  const queue = items.entries();
  const ask = async () => {
    for (const [index, item] of queue) {
      for (const [layout, failed] of failures) {
        const failure = await firstFailure(troupe, item, layout);
        if (failure !== undefined) failed.push({ item: index, ...failure });
      }
      onItem();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, ask));
  return new Map([...failures].map(([layout, failed]) => [layout, scoreOf(items.length, failed)]));
}

function scoreOf(items: number, failed: readonly Failure[]): Score {
  return { items, right: items - failed.length, failures: failed.toSorted((a, b) => a.item - b.item) };
}

/** Later turns are asked with the model's own earlier answers before them; after a wrong answer no more are asked. */
async function firstFailure(
  troupe: Troupe,
  { images, system, turns }: Item,
  layout: Layout,
): Promise<Omit<Failure, 'item'> | undefined> {
  const messages = openingOf(layout, system);
  let shown: typeof images = images;
  for (const turn of turns) {
    messages.push(questionOf(layout, turn.question, shown));
    shown = [];
    const { text: answer } = await troupe.chat({ messages, temperature: 0 });
    if (answer !== turn.expected) return { ...turn, answer };
    messages.push({ role: 'assistant', content: answer } satisfies ChatMessage);
  }
  return undefined;
}
