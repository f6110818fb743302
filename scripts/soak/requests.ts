/** The kinds of request that the load is mixed of. */
import { readFileSync } from 'node:fs';

const picture = (name: string): string => {
  const file = new URL(`../../examples/${name}`, import.meta.url);
  return `data:image/png;base64,${readFileSync(file).toString('base64')}`;
};

const PICTURES = ['four-shapes.png', 'number.png', 'before.png'].map(picture);

/** Makes the model go on up to the token limit. */
const GOES_ON = { repetition_penalty: 1000, frequency_penalty: -2, presence_penalty: -2 };

const ask = (text: string, ...images: readonly string[]) => ({
  messages: [
    {
      role: 'user',
      content: [...images.map((url) => ({ type: 'image_url', image_url: { url } })), { type: 'text', text }],
    },
  ],
});

export interface Kind {
  readonly name: string;
  readonly body: object;
  /** When the client leaves: before anything has come, or after the first piece. */
  readonly leaves?: 'at once' | 'midway';
  /** How long the client waits before it reads on, ms. */
  readonly readsEvery?: number;
  /** Its time for the answer, ms. */
  readonly timeoutMs?: number;
  /** The status of a right answer. Default 200. */
  readonly status?: number;
}

const QUESTION = 'What is in this image?';
const long = { ...ask('What do you see?'), ...GOES_ON, max_tokens: 200, stream: true };

export const KINDS: readonly Kind[] = [
  { name: 'text', body: { ...ask('What do you see?'), max_tokens: 8 } },
  { name: 'image', body: ask(QUESTION, PICTURES[0] ?? '') },
  { name: 'image, streamed', body: { ...ask(QUESTION, PICTURES[1] ?? ''), stream: true } },
  { name: 'two images', body: { ...ask(QUESTION, ...PICTURES.slice(0, 2)), max_tokens: 8 } },
  { name: 'long', body: long },
  { name: 'slow reader', body: long, readsEvery: 20 },
  { name: 'leaves at once', body: long, leaves: 'at once' },
  { name: 'leaves midway', body: long, leaves: 'midway' },
  { name: 'leaves, with image', body: ask(QUESTION, PICTURES[2] ?? ''), leaves: 'at once' },
  { name: 'little time', body: long, timeoutMs: 100 },
  { name: 'wrong field', body: { ...ask('Hm?'), verbosity: 'low' }, status: 400 },
  { name: 'wrong image', body: ask(QUESTION, 'data:image/png;base64,AAAA'), status: 400 },
];
