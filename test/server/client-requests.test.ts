/** Requests as clients that are no package of npm send them. The answer is that to the barest request. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TroupeServer } from '../../src/server/serve.ts';
import { golden } from '../support/golden.ts';
import {
  askAbout,
  assertRefused,
  dataUrl,
  eventsOf,
  MODEL_NAME,
  post,
  startServer,
} from './support/server.ts';

const one = golden(33);
const url = dataUrl(one);
const text = { type: 'text', text: one.question };
const picture = { type: 'image_url', image_url: { url } };
const answered = one.greedy.trim();
const next = { role: 'user', content: 'And what is beside it?' };
const turns = [...askAbout(33), { role: 'assistant', content: answered }, next];

/** What llama.cpp's page sends with its settings left as they are. */
const LLAMA_CPP = {
  reasoning_format: 'auto',
  return_progress: true,
  timings_per_token: true,
  dynatemp_range: 0,
  dynatemp_exponent: 1,
  top_k: 0,
  typ_p: 1,
  xtc_probability: 0,
  xtc_threshold: 0.1,
  repeat_last_n: 64,
  repeat_penalty: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  dry_multiplier: 0,
  dry_base: 1.75,
  dry_allowed_length: 2,
  dry_penalty_last_n: -1,
  backend_sampling: false,
};

const REQUESTS: Readonly<Record<string, object>> = {
  'of the page of llama.cpp': { ...LLAMA_CPP, messages: [{ role: 'user', content: [picture, text] }] },
  'with the defaults of vLLM, all spelled out': {
    messages: askAbout(33),
    n: 1,
    best_of: 1,
    use_beam_search: false,
    top_k: -1,
    min_p: 0,
    repetition_penalty: 1,
    length_penalty: 1,
    stop_token_ids: [],
    include_stop_str_in_output: false,
    ignore_eos: false,
    min_tokens: 0,
    skip_special_tokens: true,
    spaces_between_special_tokens: true,
    prompt_logprobs: null,
    bad_words: [],
    echo: false,
    add_generation_prompt: true,
    continue_final_message: false,
    add_special_tokens: false,
    documents: null,
    chat_template: null,
    chat_template_kwargs: {},
    mm_processor_kwargs: {},
    guided_json: null,
    priority: 0,
    cache_salt: null,
    logits_processors: [],
  },
  'with the fields of OpenAI that say nothing here': {
    model: MODEL_NAME,
    messages: askAbout(33),
    n: 1,
    logprobs: false,
    top_logprobs: 0,
    logit_bias: {},
    tools: [],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    response_format: { type: 'text' },
    modalities: ['text'],
    metadata: { purpose: 'test' },
    store: true,
    service_tier: 'flex',
    verbosity: 'medium',
    reasoning_effort: 'none',
    prompt_cache_key: 'key',
    prompt_cache_retention: '24h',
    prediction: { type: 'content', content: 'A circle.' },
    user: 'Ann',
    seed: 2 ** 63,
    audio: null,
    web_search_options: null,
    moderation: null,
  },
  'of OpenRouter': {
    messages: askAbout(33),
    transforms: [],
    provider: {},
    plugins: [],
    include_reasoning: true,
    reasoning: { enabled: false },
    usage: { include: true },
    top_a: 0,
  },
  'that is greedy by top_p': { messages: askAbout(33), temperature: 1.5, top_p: 0 },
  'with little detail and a URL after white space': {
    messages: [
      {
        role: 'user',
        content: [{ type: 'image_url', image_url: { url: ` ${url}\n`, detail: 'low' } }, text],
      },
    ],
  },
  'with a URL alone': {
    messages: [{ role: 'user', name: 'Ann', content: [{ type: 'image_url', image_url: url }, text] }],
  },
  'with a picture as a file': {
    messages: [
      { role: 'user', content: [{ type: 'file', file: { file_data: url, filename: 'a.png' } }, text] },
    ],
  },
};

/** An earlier answer as its client has kept it. */
const ECHOES: Readonly<Record<string, object>> = {
  'by the Agents SDK': {
    content: [{ type: 'text', text: answered, role: 'assistant', annotations: [], refusal: null }],
  },
  'by the Python client, dumped whole': {
    content: answered,
    refusal: null,
    annotations: [],
    audio: null,
    function_call: null,
    tool_calls: null,
  },
  'by LiteLLM': {
    content: answered,
    tool_calls: [],
    function_call: null,
    reasoning_content: 'Hm.',
    provider_specific_fields: { refusal: null },
  },
  'by OpenRouter': {
    content: answered,
    refusal: null,
    reasoning: 'Hm.',
    reasoning_details: [{ text: 'Hm.' }],
  },
  'by editors': {
    id: 1947269257,
    opts: { visible: false },
    agent: 'cli',
    messageId: 'm1',
    content: answered,
  },
};

describe('a request', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const ask = async (body: object) => {
    const response = await post(server, body);
    const json = JSON.parse(await response.text());
    assert.equal(response.status, 200, JSON.stringify(json));
    return { said: json.choices[0].message.content, tokens: json.usage.prompt_tokens };
  };

  for (const [name, body] of Object.entries(REQUESTS)) {
    it(`${name} is answered`, async () => {
      assert.deepEqual(await ask(body), { said: answered, tokens: one.promptIds.length });
    });

    it(`${name} is streamed`, async () => {
      const options = { include_usage: true, include_obfuscation: false, continuous_usage_stats: false };
      const response = await post(server, { ...body, stream: true, stream_options: options });
      const events = eventsOf(await response.text()) as {
        choices: { delta: { content?: string } }[];
        usage: { prompt_tokens: number } | null;
      }[];
      assert.equal(events.map(({ choices: [choice] }) => choice?.delta.content ?? '').join(''), answered);
      assert.equal(events.at(-1)?.usage?.prompt_tokens, one.promptIds.length);
    });
  }

  for (const [name, echo] of Object.entries(ECHOES)) {
    it(`with an earlier answer kept ${name} goes on from it`, async () => {
      const echoed = [...askAbout(33), { role: 'assistant', ...echo }, next];
      assert.deepEqual(await ask({ messages: echoed }), await ask({ messages: turns }));
    });
  }

  it('goes on after an answer that had no content', async () => {
    const messages = (content: unknown) => [...askAbout(33), { role: 'assistant', content }, next];
    assert.deepEqual(await ask({ messages: messages(null) }), await ask({ messages: messages('') }));
  });

  it('with a picture and no words is answered, whatever stands for them', async () => {
    const alone = await ask({ messages: [{ role: 'user', content: [picture] }] });
    const beside = await ask({
      messages: [{ role: 'user', content: [{ type: 'text', text: '' }, picture] }],
    });
    assert(alone.tokens > 25 && beside.tokens >= alone.tokens);
  });

  for (const [name, messages] of [
    ['an empty text', [{ role: 'user', content: '' }]],
    ['an empty list of parts', [{ role: 'user', content: [] }]],
    ['white space', [{ role: 'user', content: ' \n' }]],
    ['a system message alone', [{ role: 'system', content: 'Tell what you can do.' }]],
    ['a developer message alone', [{ role: 'developer', content: [{ type: 'text', text: 'Tell.' }] }]],
  ] as const) {
    it(`of ${name} is answered`, async () => {
      assert((await ask({ messages, max_tokens: 4 })).tokens > 0);
    });
  }

  it('asks for usage in a stream as OpenRouter has it', async () => {
    for (const [include, last] of [
      [true, 'number'],
      [false, 'undefined'],
    ] as const) {
      const body = { messages: askAbout(33), stream: true, usage: { include } };
      const events = eventsOf(await (await post(server, body)).text()) as {
        usage?: { total_tokens: number };
      }[];
      assert.equal(typeof events.at(-1)?.usage?.total_tokens, last);
    }
    const wrong = await post(server, { messages: askAbout(33), usage: { include: 'yes' } });
    assert.equal((await assertRefused(wrong, 400, 'invalid_type')).param, 'usage.include');
  });

  for (const [field, part] of [
    ['image_url.url', { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }],
    ['image_url', { type: 'image_url', image_url: 'data:image/png;base64,AAAA' }],
    ['file.file_data', { type: 'file', file: { file_data: 'data:image/png;base64,AAAA' } }],
  ] as const) {
    it(`is told that the picture in ${field} is none, by that name`, async () => {
      for (const stream of [false, true]) {
        const body = { messages: [{ role: 'user', content: [text, part] }], stream };
        const error = await assertRefused(await post(server, body), 400, 'image_format_unsupported');
        assert.equal(error.param, `messages[0].content[1].${field}`);
        assert(error.message.startsWith(`${error.param}: `), error.message);
      }
    });
  }
});
