/** The model's golden answers: pictures, questions, and what PyTorch's greedy decoding says, token for token. */
import { readFileSync } from 'node:fs';
import type { ChatMessage } from '../../actors/generation.ts';

export interface Golden {
  readonly image: string;
  readonly question: string;
  readonly greedy: string;
  readonly promptIds: readonly number[];
  readonly tokenIds: readonly number[];
}

const FOLDER = new URL('../fixtures/golden/', import.meta.url);

export const goldens: readonly Golden[] = JSON.parse(readFileSync(new URL('golden.json', FOLDER), 'utf8'));

export function golden(index: number): Golden {
  const found = goldens[index];
  if (found === undefined) throw new RangeError(`there is no golden ${index}`);
  return found;
}

export function goldenImage({ image }: Golden): URL {
  return new URL(image, FOLDER);
}

export function goldenMessages(one: Golden): ChatMessage[] {
  return [
    {
      role: 'user',
      content: [
        { type: 'image', image: goldenImage(one) },
        { type: 'text', text: one.question },
      ],
    },
  ];
}
