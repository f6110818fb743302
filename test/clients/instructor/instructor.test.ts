/** instructor wants version 4 of OpenAI's client and version 3 of zod. */
import { after, before, describe, it } from 'node:test';
import Instructor from '@instructor-ai/instructor';
import OpenAI from 'openai';
import { z } from 'zod';
import { KEY, MODEL, type Served, serve, USER } from '../support.ts';

/** A list and a choice: nothing that a small model says by chance. */
const schema = z.object({
  colour: z.enum(['red', 'blue', 'green']).describe('Of the largest thing'),
  parts: z.array(z.object({ name: z.string().max(12), count: z.number().int().min(1).max(9) })).max(2),
});
const response_model = { schema, name: 'Picture' };

/** Those of its modes that send the schema; JSON and MD_JSON only tell the model of it. */
const MODES = ['TOOLS', 'JSON_SCHEMA'] as const;

describe('instructor', () => {
  let served: Served;
  let openai: OpenAI;

  before(async () => {
    served = await serve();
    openai = new OpenAI({ baseURL: served.baseURL, apiKey: KEY, maxRetries: 0 });
  });
  after(() => served.stop());

  for (const mode of MODES) {
    it(`gets an object of its schema, by ${mode}`, async () => {
      const client = Instructor({ client: openai, mode });
      const object = await client.chat.completions.create({
        model: MODEL,
        messages: [USER],
        response_model,
        max_retries: 0,
      });
      schema.parse(object);
    });

    it(`streams it, by ${mode}`, async () => {
      const client = Instructor({ client: openai, mode });
      const stream = await client.chat.completions.create({
        model: MODEL,
        messages: [USER],
        response_model,
        stream: true,
      });
      let last: unknown;
      for await (const partial of stream) last = partial;
      schema.parse(last);
    });
  }
});
