/** What the engine is asked while its actors die: the goldens of the embedded model, long answers, new pictures. */
import sharp from 'sharp';
import type { ChatOptions } from '../../../src/index.ts';
import { defaultGoldenMessages, defaultGoldens } from '../../../test/support/default-golden.ts';

export interface Question {
  readonly name: string;
  readonly options: Pick<ChatOptions, 'messages' | 'maxTokens' | 'repetitionPenalty' | 'presencePenalty'>;
  /** Known beforehand, from PyTorch; otherwise the quiet engine is asked. */
  readonly tokenIds?: readonly number[];
}

const LONG_TOKENS = 120;
const NEW_PICTURES = 8;

/** Makes the model go on up to the token limit. */
const GOES_ON = { repetitionPenalty: 1000, presencePenalty: -2 };

async function picture(n: number): Promise<Uint8Array<ArrayBuffer>> {
  const background = { r: (n * 83) & 255, g: (n * 151) & 255, b: (n * 37) & 255 };
  const made = sharp({ create: { width: 96, height: 64, channels: 3, background } }).png();
  return new Uint8Array(await made.toBuffer());
}

export async function questions(): Promise<Question[]> {
  const goldens = defaultGoldens.map((golden, index) => ({
    name: `golden ${index}`,
    options: { messages: defaultGoldenMessages(golden) },
    tokenIds: golden.tokenIds,
  }));
  const long = ['What do you see?', 'Count as far as you can.'].map((content) => ({
    name: `long: ${content}`,
    options: { messages: [{ role: 'user', content }] as const, maxTokens: LONG_TOKENS, ...GOES_ON },
  }));
  const pictures = await Promise.all(
    Array.from({ length: NEW_PICTURES }, async (_, n) => ({
      name: `picture ${n}`,
      options: {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image', image: await picture(n) },
              { type: 'text', text: 'What is in this image?' },
            ],
          },
        ] as const,
        maxTokens: 24,
      },
    })),
  );
  return [...goldens, ...long, ...pictures];
}
