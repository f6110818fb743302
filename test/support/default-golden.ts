/**
 * Conversations with the embedded model: pictures, questions, and what PyTorch's greedy decoding says, token for
 * token. Made by `models/recipe/check_parity.py`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ChatMessage } from '../../actors/generation.ts';

export interface DefaultGolden {
  readonly images: readonly string[];
  /** Turns before this one, with the model's own answers. */
  readonly history: readonly { readonly question: string; readonly answer: string }[];
  readonly question: string;
  /** What is true. */
  readonly expected: string;
  /** What the model says. */
  readonly greedy: string;
  readonly promptIds: readonly number[];
  readonly tokenIds: readonly number[];
}

const FOLDER = new URL('../fixtures/default-golden/', import.meta.url);

export const defaultGoldens: readonly DefaultGolden[] = JSON.parse(
  readFileSync(new URL('golden.json', FOLDER), 'utf8'),
);

/** Path of a golden picture. */
export function defaultGoldenImage(name: string): string {
  return fileURLToPath(new URL(name, FOLDER));
}

/** The first golden with one picture, no history and the right answer. */
export function plainDefaultGolden(): DefaultGolden & { readonly picture: string } {
  const found = defaultGoldens.find(
    ({ images, history, greedy, expected }) =>
      images.length === 1 && history.length === 0 && greedy === expected,
  );
  if (found?.images[0] === undefined) throw new RangeError('there is no such golden');
  return { ...found, picture: defaultGoldenImage(found.images[0]) };
}

export function defaultGoldenMessages({ images, history, question }: DefaultGolden): ChatMessage[] {
  const turns = history.flatMap(({ question: asked, answer }): ChatMessage[] => [
    { role: 'user', content: asked },
    { role: 'assistant', content: answer },
  ]);
  const messages: ChatMessage[] = [...turns, { role: 'user', content: question }];
  const [opening] = messages;
  if (typeof opening?.content !== 'string') throw new TypeError('a golden has a question');
  const pictures = images.map((name) => ({ type: 'image', image: defaultGoldenImage(name) }) as const);
  messages[0] = { role: 'user', content: [...pictures, { type: 'text', text: opening.content }] };
  return messages;
}
