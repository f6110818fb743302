import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Agent, type AgentInputItem, OpenAIProvider, Runner, tool } from '@openai/agents';
import { z } from 'zod';
import {
  ANSWER,
  KEY,
  MODEL,
  NEXT_QUESTION,
  PICTURE,
  QUESTION,
  type Served,
  SYSTEM,
  serve,
  USER,
} from './support.ts';

const asked: AgentInputItem[] = [
  {
    role: 'user',
    content: [
      { type: 'input_image', image: PICTURE },
      { type: 'input_text', text: QUESTION },
    ],
  },
];

const next: AgentInputItem = { role: 'user', content: NEXT_QUESTION };

for (const [way, useResponses] of [
  ['chat completions', false],
  ['responses, its default', true],
] as const) {
  describe(`OpenAI's Agents SDK, by ${way}`, () => agents(useResponses));
}

function agents(useResponses: boolean): void {
  let served: Served;
  let runner: Runner;
  const agent = new Agent({ name: 'Looker', model: MODEL });
  const instructed = new Agent({ name: 'Looker', model: MODEL, instructions: SYSTEM });

  before(async () => {
    served = await serve();
    const modelProvider = new OpenAIProvider({ baseURL: served.baseURL, apiKey: KEY, useResponses });
    runner = new Runner({ modelProvider, tracingDisabled: true });
  });
  after(() => served.stop());

  it('runs an agent about a picture', async () => {
    const { finalOutput } = await runner.run(agent, asked);
    assert.equal(finalOutput, ANSWER);
  });

  it('streams', async () => {
    const result = await runner.run(agent, asked, { stream: true });
    let text = '';
    for await (const piece of result.toTextStream()) text += piece;
    await result.completed;
    assert.equal(text, ANSWER);
  });

  it('gives instructions, and a second and third turn with its own history, streamed or not', async () => {
    const turns: object[] = [{ role: 'system', content: SYSTEM }, USER];
    const first = await runner.run(instructed, asked);
    const plain = await served.plainly(turns);
    assert.equal(first.finalOutput, plain.text);

    const second = await runner.run(instructed, [...first.history, next]);
    turns.push({ role: 'assistant', content: plain.text }, { role: 'user', content: NEXT_QUESTION });
    const plainSecond = await served.plainly(turns);
    assert.equal(second.finalOutput, plainSecond.text);
    assert.equal(second.rawResponses[0]?.usage.inputTokens, plainSecond.promptTokens);

    const third = await runner.run(instructed, [...second.history, next], { stream: true });
    await third.completed;
    turns.push({ role: 'assistant', content: plainSecond.text }, { role: 'user', content: NEXT_QUESTION });
    assert.equal(third.finalOutput, (await served.plainly(turns)).text);

    const fourth = await runner.run(instructed, [...third.history, next]);
    turns.push({ role: 'assistant', content: third.finalOutput }, { role: 'user', content: NEXT_QUESTION });
    assert.equal(fourth.finalOutput, (await served.plainly(turns)).text);
  });

  it('keeps to the type of its output', async () => {
    const outputType = z.object({ color: z.enum(['red', 'blue']) });
    const typed = new Agent({ name: 'Painter', model: MODEL, outputType });
    const { finalOutput } = await runner.run(typed, asked);
    assert(outputType.safeParse(finalOutput).success);
  });

  it('has tools called', async () => {
    const painted: string[] = [];
    const paint = tool({
      name: 'paint',
      description: 'Paints.',
      parameters: z.object({ color: z.enum(['red', 'blue']) }),
      execute: async ({ color }) => {
        painted.push(color);
        return 'done';
      },
    });
    const painter = new Agent({
      ...{ name: 'Painter', model: MODEL, tools: [paint], toolUseBehavior: 'stop_on_first_tool' },
      modelSettings: { toolChoice: 'required', parallelToolCalls: false },
    });
    const { finalOutput } = await runner.run(painter, asked);
    assert.equal(finalOutput, 'done');
    assert.equal(painted.length, 1);
  });
}
