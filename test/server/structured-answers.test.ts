import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { parseChatRequest } from '../../src/server/openai/chat-request.ts';
import type { TroupeServer } from '../../src/server/serve.ts';
import { assertRefused, eventsOf, HELLO, MODEL, post, startServer } from './support/server.ts';

const USER = [{ role: 'user', content: 'What do you see?' }] as const;
const PARAMETERS = {
  type: 'object',
  properties: { city: { $ref: '#/$defs/city' } },
  required: ['city'],
  additionalProperties: false,
  $defs: { city: { enum: ['Oslo'] } },
} as const;
const WEATHER = {
  type: 'function',
  function: { name: 'weather', description: 'x', parameters: PARAMETERS },
} as const;
const TIME = { type: 'function', function: { name: 'time' } } as const;
const TOOLS = { messages: USER, tools: [WEATHER, TIME], max_tokens: 120 } as const;
const allowed = (mode: string, ...names: readonly string[]) => ({
  type: 'allowed_tools',
  allowed_tools: { mode, tools: names.map((name) => ({ type: 'function', function: { name } })) },
});
const CALL = { type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } } as const;
const SCHEMA = { enum: ['a', 'b'] } as const;

interface Choice {
  readonly index: number;
  readonly message: {
    readonly content: string | null;
    readonly tool_calls?: readonly (typeof CALL & { id: string })[];
  };
  readonly logprobs: {
    readonly content: readonly { token: string; logprob: number; top_logprobs: unknown[] }[];
  } | null;
  readonly finish_reason: string;
}

interface Completion {
  readonly choices: readonly Choice[];
  readonly usage: { readonly prompt_tokens: number };
}

interface Delta {
  readonly content?: string | null;
  readonly tool_calls?: readonly {
    readonly index: number;
    readonly id?: string;
    readonly function: { readonly name?: string; readonly arguments: string };
  }[];
}

describe('POST /v1/chat/completions, held to something', () => {
  let server: TroupeServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const completionOf = async (body: object): Promise<Completion> => {
    const response = await post(server, body);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  };
  const choicesOf = async (body: object) => (await completionOf(body)).choices;
  const deltasOf = async (body: object) => {
    const response = await post(server, { ...body, stream: true });
    const events = eventsOf(await response.text()) as unknown as {
      readonly choices: readonly {
        index: number;
        delta: Delta;
        logprobs: unknown;
        finish_reason: string | null;
      }[];
    }[];
    return events.flatMap(({ choices }) => choices);
  };
  const named = { ...TOOLS, tool_choice: { type: 'function', function: { name: 'weather' } } };

  it('calls the tool that is named, and nothing else', async () => {
    const [choice] = await choicesOf(named);
    assert.equal(choice?.finish_reason, 'tool_calls');
    assert.equal(choice.message.content, null);
    const [call, ...more] = choice.message.tool_calls ?? [];
    assert.match(call?.id ?? '', /^call_\w{24}$/);
    assert.deepEqual(call?.function.name, 'weather');
    assert.deepEqual(JSON.parse(call?.function.arguments ?? ''), { city: 'Oslo' });
    assert.equal(more.length, 0);
  });

  it('streams it: the name first, then pieces of its arguments', async () => {
    const choices = await deltasOf(named);
    const pieces = choices.flatMap(({ delta }) => delta.tool_calls ?? []);
    assert.match(pieces[0]?.id ?? '', /^call_/);
    assert.deepEqual(pieces[0]?.function, { name: 'weather', arguments: '' });
    assert(pieces.slice(1).every(({ id, function: { name } }) => id === undefined && name === undefined));
    assert.deepEqual(JSON.parse(pieces.map((piece) => piece.function.arguments).join('')), { city: 'Oslo' });
    assert.equal(choices.map(({ delta }) => delta.content ?? '').join(''), '');
    assert.equal(choices.at(-1)?.finish_reason, 'tool_calls');
  });

  it('a call that a stop string cut off is none to be run', async () => {
    const body = { ...named, stop: 'city' };
    const [choice] = await choicesOf(body);
    assert.equal(choice?.finish_reason, 'stop');
    assert.equal(choice.message.tool_calls?.[0]?.function.arguments, '{"');
    assert.equal((await deltasOf(body)).at(-1)?.finish_reason, 'stop');
  });

  it('calls allowed tools alone, and tells the model of all', async () => {
    for (const tool of ['weather', 'time']) {
      const required = { ...TOOLS, tool_choice: 'required', parallel_tool_calls: false };
      const { choices, usage } = await completionOf({ ...required, tool_choice: allowed('required', tool) });
      const calls = choices[0]?.message.tool_calls ?? [];
      assert.deepEqual(
        calls.map((call) => call.function.name),
        [tool],
      );
      assert.equal(usage.prompt_tokens, (await completionOf(required)).usage.prompt_tokens);
    }
  });

  it('calls some tool where one is required, one alone where they are not to be parallel', async () => {
    const [choice] = await choicesOf({ ...TOOLS, tool_choice: 'required', parallel_tool_calls: false });
    assert.equal(choice?.finish_reason, 'tool_calls');
    assert.equal(choice.message.tool_calls?.length, 1);
    assert.equal(choice.message.content, null);
  });

  it('calls nothing where it may not', async () => {
    const [none] = await choicesOf({ ...TOOLS, tool_choice: 'none', max_tokens: 8 });
    const [plain] = await choicesOf({ messages: USER, max_tokens: 8 });
    assert.deepEqual(none, plain);
  });

  it('takes calls and their results back', async () => {
    const messages = [
      ...USER,
      { role: 'assistant', content: null, tool_calls: [{ id: 'a', ...CALL }] },
      { role: 'tool', tool_call_id: 'a', content: '{"rain":true}' },
    ];
    const [choice] = await choicesOf({ ...TOOLS, messages, max_tokens: 2 });
    assert.equal(choice?.finish_reason, 'length');
  });

  it('answers as response_format says, also beside tools', async () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema: SCHEMA, strict: true } };
    const [choice] = await choicesOf({ messages: USER, response_format });
    assert.match(choice?.message.content ?? '', /^"[ab]"$/);
    const [either] = await choicesOf({ ...TOOLS, response_format });
    assert(either?.message.tool_calls !== undefined || /^"[ab]"$/.test(either?.message.content ?? ''));
  });

  it('cuts a JSON object at the token limit, and says so', async () => {
    const [choice] = await choicesOf({
      messages: USER,
      response_format: { type: 'json_object' },
      max_tokens: 2,
    });
    assert.equal(choice?.finish_reason, 'length');
    assert.match(choice?.message.content ?? '', /^\{/);
  });

  for (const [field, value] of Object.entries({
    guided_choice: ['red', 'blue'],
    guided_regex: 'red|blue',
    regex: 'red|blue',
    grammar: 'root ::= "red" | "blue"',
    guided_grammar: 'root ::= "red" | "blue"',
    ebnf: 'root ::= "red" | "blue"',
    structured_outputs: { choice: ['red', 'blue'] },
  })) {
    it(`is held to ${field}`, async () => {
      const [choice] = await choicesOf({ messages: USER, [field]: value });
      assert.match(choice?.message.content ?? '', /^(red|blue)$/);
    });
  }
  for (const field of ['guided_json', 'json_schema']) {
    it(`is held to ${field}, as an object or as its text`, async () => {
      for (const schema of [SCHEMA, JSON.stringify(SCHEMA)]) {
        const [choice] = await choicesOf({ messages: USER, [field]: schema });
        assert.match(choice?.message.content ?? '', /^"[ab]"$/);
      }
    });
  }

  it('gives n answers, and how likely each token was, whole and streamed alike', async () => {
    const asked = { messages: USER, n: 2, logprobs: true, top_logprobs: 2, max_tokens: 3, seed: 1 };
    const choices = await choicesOf(asked);
    assert.deepEqual(
      choices.map(({ index }) => index),
      [0, 1],
    );
    for (const { logprobs } of choices) {
      assert(logprobs !== null && logprobs.content.length > 0);
      for (const { logprob, top_logprobs } of logprobs.content) {
        assert(logprob <= 0);
        assert.equal(top_logprobs.length, 2);
      }
    }
    const deltas = await deltasOf(asked);
    for (const { index, message, logprobs, finish_reason } of choices) {
      const own = deltas.filter((one) => one.index === index);
      assert.equal(own.map(({ delta }) => delta.content ?? '').join(''), message.content);
      const streamed = own.flatMap((one) => (one.logprobs as Choice['logprobs'])?.content ?? []);
      assert.deepEqual(streamed, logprobs?.content);
      assert.equal(own.at(-1)?.finish_reason, finish_reason);
    }
  });

  it('logit_bias decides between tokens', async () => {
    const [free] = await choicesOf({ messages: USER, guided_choice: ['a', 'b'], logprobs: true });
    const other = free?.message.content === 'a' ? 'b' : 'a';
    const { vocab } = JSON.parse(readFileSync(`${MODEL}/tokenizer.json`, 'utf8')).model;
    const logit_bias = { [vocab[other]]: 100, [vocab[`Ġ${other}`]]: 100 };
    const [biased] = await choicesOf({ messages: USER, guided_choice: ['a', 'b'], logit_bias });
    assert.equal(biased?.message.content, other);
  });

  const bad = { type: 'object', properties: { a: { type: 'string', pattern: '(b)\\1' } } };
  const REFUSED: readonly (readonly [what: string, body: object, code: string, param: string])[] = [
    [
      'a schema that cannot be honoured',
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: bad } } },
      'constraint_unsupported',
      'response_format.json_schema.schema#/properties/a/pattern',
    ],
    [
      'the same under another name',
      { guided_json: bad },
      'constraint_unsupported',
      'guided_json#/properties/a/pattern',
    ],
    [
      'parameters that cannot be honoured',
      { tools: [TIME, { type: 'function', function: { name: 'g', parameters: bad } }] },
      'constraint_unsupported',
      'tools[1].function.parameters#/properties/a/pattern',
    ],
    [
      'another kind of format',
      { response_format: { type: 'xml' } },
      'unsupported_value',
      'response_format.type',
    ],
    [
      'a schema that is none',
      { response_format: { type: 'json_schema', json_schema: { name: 'x' } } },
      'invalid_type',
      'response_format.json_schema.schema',
    ],
    ['two constraints', { guided_regex: 'a', guided_choice: ['a'] }, 'invalid_value', 'guided_choice'],
    ['two in one', { structured_outputs: { regex: 'a', json: {} } }, 'invalid_value', 'structured_outputs'],
    ['another kind of tool', { tools: [{ type: 'web_search' }] }, 'unsupported_value', 'tools[0].type'],
    [
      'a name that is none',
      { tools: [{ type: 'function', function: { name: 'a b' } }] },
      'invalid_tools',
      'tools[0].function.name',
    ],
    [
      'allowed tools that are none',
      { tools: [TIME], tool_choice: allowed('auto', 'time', 'g') },
      'invalid_tools',
      'tool_choice.allowed_tools.tools[1].function.name',
    ],
    [
      'no allowed tools',
      { tools: [TIME], tool_choice: allowed('auto') },
      'invalid_tools',
      'tool_choice.allowed_tools.tools',
    ],
    [
      'allowed tools in another mode',
      { tools: [TIME], tool_choice: allowed('none', 'time') },
      'invalid_tools',
      'tool_choice.allowed_tools.mode',
    ],
    [
      'the choice of no tool',
      { tools: [TIME], tool_choice: { type: 'function', function: { name: 'g' } } },
      'invalid_tools',
      'tool_choice.function.name',
    ],
    ['a choice without tools', { tool_choice: 'required' }, 'invalid_tools', 'tool_choice'],
    ['too many answers', { n: 17 }, 'invalid_sampling', 'n'],
    ['likeliest tokens alone', { top_logprobs: 2 }, 'invalid_sampling', 'top_logprobs'],
    ['a bias out of range', { logit_bias: { 5: 101 } }, 'invalid_sampling', 'logit_bias[5]'],
    [
      'a result of no call',
      { messages: [...USER, { role: 'tool', tool_call_id: 'a', content: '' }] },
      'invalid_tool_messages',
      'messages[1].tool_call_id',
    ],
    [
      'arguments that are no JSON',
      {
        messages: [
          {
            role: 'assistant',
            tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{' } }],
          },
        ],
      },
      'invalid_tool_messages',
      'messages[0].tool_calls[0].function.arguments',
    ],
  ];
  for (const [what, body, code, param] of REFUSED) {
    it(`refuses ${what}, naming the field`, async () => {
      const error = await assertRefused(await post(server, { ...HELLO, ...body }), 400, code);
      assert.equal(error.param, param);
      assert(error.message.startsWith(param), error.message);
    });
  }
});

it('a request may have all of them at once', () => {
  const body = {
    ...TOOLS,
    tool_choice: 'auto',
    parallel_tool_calls: true,
    n: 2,
    logit_bias: { 1: 1 },
    logprobs: true,
  };
  const { chat } = parseChatRequest(body, { modelNames: ['m'], allowPull: false, maxImages: 1 });
  const tools = [WEATHER.function, TIME.function];
  const expected = {
    messages: USER,
    tools,
    toolChoice: 'auto',
    parallelToolCalls: true,
    n: 2,
    logprobs: true,
  };
  assert.deepEqual(chat, { ...expected, logitBias: { 1: 1 }, maxTokens: 120 });
});
