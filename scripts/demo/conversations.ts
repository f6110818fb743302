/** What the demo asks: `examples/demo.json`, a list of conversations about pictures in `examples/`. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ChatMessage } from '../../src/index.ts';

const EXAMPLES = new URL('../../examples/', import.meta.url);

/** Several pictures go into one question; further questions are further turns about the same pictures. */
const conversations = z.array(
  z.strictObject({ pictures: z.array(z.string()).min(1), questions: z.array(z.string()).min(1) }),
);

export type Conversation = z.infer<typeof conversations>[number];

export async function readConversations(): Promise<Conversation[]> {
  return conversations.parse(JSON.parse(await readFile(new URL('demo.json', EXAMPLES), 'utf8')));
}

/** The first turn: the pictures and a question about them. */
export function openingMessage(pictures: readonly string[], question: string): ChatMessage {
  const images = pictures.map(
    (name) => ({ type: 'image', image: fileURLToPath(new URL(name, EXAMPLES)) }) as const,
  );
  return { role: 'user', content: [...images, { type: 'text', text: question }] };
}
