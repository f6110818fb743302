/** What the fleet is asked: each with one right answer, which a node by itself has given before. */
import { readFileSync } from 'node:fs';

/** Makes the model go on up to the token limit. */
const GOES_ON = { repetition_penalty: 1000, frequency_penalty: -2, presence_penalty: -2 };
const QUESTIONS = ['What is in this image?', 'What color is the background?', 'Where is it?'];
const SEEDS = 12;
/** Behind a picture's own bytes, so that it travels in pieces. */
const PADDING_BYTES = 3 * 1024 * 1024;

const picture = (name: string, padding = 0): string => {
  const file = readFileSync(new URL(`../../examples/${name}`, import.meta.url));
  return `data:image/png;base64,${Buffer.concat([file, Buffer.alloc(padding)]).toString('base64')}`;
};

const ask = (text: string, ...images: readonly string[]) => ({
  messages: [
    {
      role: 'user',
      content: [...images.map((url) => ({ type: 'image_url', image_url: { url } })), { type: 'text', text }],
    },
  ],
});

const pictures = ['four-shapes.png', 'number.png', 'before.png'].map((name) => picture(name));

export interface FleetRequest {
  readonly name: string;
  readonly body: object;
}

export const FLEET_REQUESTS: readonly FleetRequest[] = [
  { name: 'text', body: { ...ask('What do you see?'), max_tokens: 8 } },
  ...pictures.flatMap((url, i) => QUESTIONS.map((text) => ({ name: `picture ${i}`, body: ask(text, url) }))),
  { name: 'two pictures', body: ask('What has changed?', ...pictures.slice(0, 2)) },
  { name: 'large picture', body: ask('What is in this image?', picture('number.png', PADDING_BYTES)) },
  ...[150, 250, 350].map((max_tokens) => ({
    name: 'long',
    body: { ...ask('What do you see?'), ...GOES_ON, max_tokens },
  })),
  ...Array.from({ length: SEEDS }, (_, seed) => ({
    name: 'long, seeded',
    body: {
      ...ask('What do you see?', pictures[seed % 3] ?? ''),
      ...GOES_ON,
      max_tokens: 200,
      temperature: 1,
      seed,
    },
  })),
];
