/** How the test conversations are laid out: where the text stands beside the pictures, and what the system message says. */
import type { ChatMessage } from '../../src/index.ts';

const HELPFUL = 'You are a helpful assistant.';
const BRIEF = 'Be brief.';

/** None of these system messages stands in the training data. */
const FORMS = {
  'picture-text': { system: undefined, first: 'picture' },
  'text-picture': { system: undefined, first: 'text' },
  'helpful-picture-text': { system: HELPFUL, first: 'picture' },
  'brief-picture-text': { system: BRIEF, first: 'picture' },
  'helpful-text-picture': { system: HELPFUL, first: 'text' },
} as const;

export type Layout = keyof typeof FORMS;

export const LAYOUTS = [
  'picture-text',
  'text-picture',
  'helpful-picture-text',
  'brief-picture-text',
  'helpful-text-picture',
] as const satisfies readonly Layout[];

/** What comes before the first question: the item's system message, else the layout's, if one of them has one. */
export function openingOf(layout: Layout, own: string | undefined): ChatMessage[] {
  const system = own ?? FORMS[layout].system;
  return system === undefined ? [] : [{ role: 'system', content: system }];
}

/** The user's message with the pictures. */
export function questionOf(
  layout: Layout,
  question: string,
  images: readonly Uint8Array<ArrayBuffer>[],
): ChatMessage {
  const text = { type: 'text', text: question } as const;
  const pictures = images.map((image) => ({ type: 'image', image }) as const);
  const content = FORMS[layout].first === 'picture' ? [...pictures, text] : [text, ...pictures];
  return { role: 'user', content };
}
