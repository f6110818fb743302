import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import type { ResponseInput } from 'openai/resources/responses/responses';
import { z } from 'zod';
import {
  ANSWER,
  KEY,
  MODEL,
  NEXT_QUESTION,
  PICTURE,
  PROMPT_TOKENS,
  QUESTION,
  SECOND_TURN,
  type Served,
  SYSTEM,
  serve,
  USER,
} from './support.ts';

const ASKED: ResponseInput = [
  {
    role: 'user',
    content: [
      { type: 'input_image', image_url: PICTURE, detail: 'auto' },
      { type: 'input_text', text: QUESTION },
    ],
  },
];

describe('responses of the client of OpenAI', () => {
  let served: Served;
  let client: OpenAI;

  before(async () => {
    served = await serve();
    client = new OpenAI({ baseURL: served.baseURL, apiKey: KEY, maxRetries: 0 });
  });
  after(() => served.stop());

  it('are about a picture', async () => {
    const response = await client.responses.create({ model: MODEL, input: ASKED, store: true });
    assert.equal(response.output_text, ANSWER);
    assert.equal(response.status, 'completed');
    assert.equal(response.usage?.input_tokens, PROMPT_TOKENS);
  });

  it('stream, and come to the same', async () => {
    const stream = client.responses.stream({ model: MODEL, input: ASKED });
    let text = '';
    const numbers: number[] = [];
    for await (const event of stream) {
      numbers.push(event.sequence_number);
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    assert.equal(text, ANSWER);
    assert.deepEqual(numbers, [...numbers.keys()]);
    const whole = await stream.finalResponse();
    assert.equal(whole.output_text, ANSWER);
    assert.equal(whole.usage?.input_tokens, PROMPT_TOKENS);
  });

  it('are cut short, and say so', async () => {
    const response = await client.responses.create({ model: MODEL, input: ASKED, max_output_tokens: 2 });
    assert.equal(response.status, 'incomplete');
    assert.deepEqual(response.incomplete_details, { reason: 'max_output_tokens' });
  });

  it('go on with their own items, whole or gathered from a stream', async () => {
    const plain = await served.plainly(SECOND_TURN);
    const whole = await client.responses.create({ model: MODEL, input: ASKED });
    const gathered = await client.responses.stream({ model: MODEL, input: ASKED }).finalResponse();
    for (const { output } of [whole, gathered]) {
      const input = [...ASKED, ...output, { role: 'user', content: NEXT_QUESTION }] as ResponseInput;
      const next = await client.responses.create({ model: MODEL, input });
      assert.equal(next.output_text, plain.text);
      assert.equal(next.usage?.input_tokens, plain.promptTokens);
    }
  });

  it('follow instructions', async () => {
    const { output_text } = await client.responses.create({
      ...{ model: MODEL, input: ASKED },
      instructions: SYSTEM,
    });
    const plain = await served.plainly([{ role: 'system', content: SYSTEM }, USER]);
    assert.equal(output_text, plain.text);
  });

  it('are refused by name where an earlier one is to be gone on with', async () => {
    const asked = { model: MODEL, input: 'And then?', previous_response_id: 'resp_1' };
    await assert.rejects(client.responses.create(asked), {
      status: 400,
      param: 'previous_response_id',
    });
  });

  it('have how likely tokens were', async () => {
    const { output } = await client.responses.create({
      ...{ model: MODEL, input: ASKED, top_logprobs: 2 },
      include: ['message.output_text.logprobs'],
    });
    const [message] = output;
    assert(message?.type === 'message');
    const [part] = message.content;
    assert(part?.type === 'output_text');
    assert.equal(
      part.logprobs
        ?.map(({ token }) => token)
        .join('')
        .trim(),
      ANSWER,
    );
    assert(part.logprobs?.every(({ top_logprobs }) => top_logprobs.length === 2));
  });

  it('are parsed by a schema', async () => {
    const Color = z.object({ color: z.enum(['red', 'blue']) });
    const text = { format: zodTextFormat(Color, 'color') };
    const whole = await client.responses.parse({ model: MODEL, input: ASKED, text });
    assert(Color.safeParse(whole.output_parsed).success);
    const streamed = await client.responses.stream({ model: MODEL, input: ASKED, text }).finalResponse();
    assert.deepEqual(streamed.output_parsed, whole.output_parsed);
  });

  it('call functions, and go on with what these gave back', async () => {
    const Paint = z.object({ color: z.enum(['red', 'blue']) });
    const tools = [zodResponsesFunction({ name: 'paint', parameters: Paint })];
    const asked = { model: MODEL, input: ASKED, tools, tool_choice: 'required' as const };
    const { output } = await client.responses.parse({ ...asked, parallel_tool_calls: false });
    const [call] = output;
    assert(call?.type === 'function_call');
    assert.equal(call.name, 'paint');
    assert(Paint.safeParse(call.parsed_arguments).success);
    const result = { type: 'function_call_output' as const, call_id: call.call_id, output: 'done' };
    const input = [...ASKED, ...output, result] as ResponseInput;
    const next = await client.responses.create({ model: MODEL, input, tools, tool_choice: 'none' });
    assert.deepEqual(
      next.output.map(({ type }) => type),
      ['message'],
    );
  });

  it('are completed as text by the older API too', async () => {
    const { choices } = await client.completions.create({ model: MODEL, prompt: 'What is', max_tokens: 3 });
    const chunks = await client.completions.create({
      ...{ model: MODEL, prompt: ['What is'], max_tokens: 3 },
      stream: true,
    });
    let text = '';
    for await (const chunk of chunks) text += chunk.choices[0]?.text ?? '';
    assert.equal(text, choices[0]?.text);
    assert.notEqual(text, '');
  });
});
