/** `troupe serve` in a process of its own, and what every client asks it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dataUrl, MODEL_NAME } from '../server/support/server.ts';
import { startProcess } from '../server/support/server-process.ts';
import { golden, goldenImage } from '../support/golden.ts';

const one = golden(33);

export const MODEL = MODEL_NAME;
export const KEY = 'key-of-a-client';
export const PICTURE = dataUrl(one);
export const PICTURE_BASE64 = readFileSync(goldenImage(one)).toString('base64');
export const QUESTION = one.question;
/** What the model says to the picture and the question. */
export const ANSWER = one.greedy.trim();
export const PROMPT_TOKENS = one.promptIds.length;
export const SYSTEM = 'Answer in few words.';
export const NEXT_QUESTION = 'And what is beside it?';

/** As slow as a machine may be that runs everything else at the same time. */
const MOST_MS = 300_000;

/** The picture and the question, as the API has them. */
export const USER = {
  role: 'user' as const,
  content: [
    { type: 'image_url' as const, image_url: { url: PICTURE } },
    { type: 'text' as const, text: QUESTION },
  ],
};

/** The second question, after the first answer, without anything that a client adds. */
export const SECOND_TURN = [
  USER,
  { role: 'assistant', content: ANSWER },
  { role: 'user', content: NEXT_QUESTION },
] as const;

export interface PlainAnswer {
  readonly text: string;
  readonly promptTokens: number;
}

export interface Served {
  readonly baseURL: string;
  /** The answer to the barest request for these messages: what a client has to get, whatever it adds. */
  plainly(messages: readonly object[]): Promise<PlainAnswer>;
  stop(): Promise<void>;
}

export async function serve(): Promise<Served> {
  const { child, url } = await startProcess(['--api-key', KEY, '--drain-ms', '0'], [], MOST_MS);
  const baseURL = `${url}/v1`;
  return {
    baseURL,
    plainly: async (messages) => {
      const response = await fetch(`${baseURL}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ messages }),
      });
      const body = JSON.parse(await response.text());
      assert.equal(response.status, 200, JSON.stringify(body));
      return { text: body.choices[0].message.content, promptTokens: body.usage.prompt_tokens };
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill();
      assert.deepEqual(await ended, [0, null]);
    },
  };
}
