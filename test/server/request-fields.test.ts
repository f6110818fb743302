import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parseChatRequest } from '../../src/server/openai/chat-request.ts';
import { REQUEST_FIELDS } from '../../src/server/openai/request-fields.ts';
import { HELLO } from './support/server.ts';

const FACTS = { modelName: 'pilot', maxImages: 8 };

/** The fields of the request type in the official client. */
function fieldsOfClient(): string[] {
  const main = createRequire(import.meta.url).resolve('openai');
  const file = join(dirname(main), 'resources', 'chat', 'completions', 'completions.d.ts');
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf('export interface ChatCompletionCreateParamsBase {');
  assert(start > 0);
  const body = text.slice(start, text.indexOf('\n}\n', start));
  return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name = '']) => name);
}

/** A value that asks for something else than what is the case anyway. */
const ASKING: Readonly<Record<string, unknown>> = {
  n: 2,
  logprobs: true,
  top_logprobs: 5,
  logit_bias: { 50256: -100 },
  response_format: { type: 'json_object' },
  modalities: ['text', 'audio'],
  tools: [{ type: 'function', function: { name: 'f' } }],
  tool_choice: 'auto',
  functions: [{ name: 'f' }],
  function_call: 'auto',
  store: true,
  service_tier: 'flex',
  reasoning_effort: 'high',
};

const NEUTRAL: Readonly<Record<string, unknown>> = {
  n: 1,
  logprobs: false,
  top_logprobs: 0,
  logit_bias: {},
  response_format: { type: 'text' },
  modalities: ['text'],
  tools: [],
  tool_choice: 'none',
  functions: [],
  function_call: 'none',
  store: false,
  service_tier: 'auto',
  reasoning_effort: 'none',
};

const refusal = (param: string) => (error: unknown) =>
  error instanceof Error && 'facts' in error && (error.facts as { param: string }).param === param;

describe('the table of request fields', () => {
  it('knows every field of the official client', () => {
    const fields = fieldsOfClient();
    assert(fields.length > 30);
    assert.deepEqual(
      fields.filter((name) => !(name in REQUEST_FIELDS)),
      [],
    );
  });

  it('is the table in the documentation', () => {
    const docs = readFileSync(new URL('../../docs/server.md', import.meta.url), 'utf8');
    for (const [name, rule] of Object.entries(REQUEST_FIELDS)) {
      const said =
        rule.kind === 'honoured' ? rule.how : rule.kind === 'only' ? `\`${rule.values}\`` : rule.why;
      const row = docs.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      assert(row?.includes(rule.kind) && row.includes(said), `${name}: ${rule.kind}, ${said}`);
    }
  });

  for (const [name, rule] of Object.entries(REQUEST_FIELDS)) {
    if (rule.kind === 'refused') {
      it(`refuses ${name}`, () => {
        assert.throws(() => parseChatRequest({ ...HELLO, [name]: {} }, FACTS), refusal(name));
      });
    }
    if (rule.kind === 'only') {
      it(`takes ${name} only as ${rule.values}`, () => {
        assert(name in ASKING && name in NEUTRAL);
        assert.throws(() => parseChatRequest({ ...HELLO, [name]: ASKING[name] }, FACTS), refusal(name));
        assert.throws(() => parseChatRequest({ ...HELLO, [name]: 'x' }, FACTS), refusal(name));
        parseChatRequest({ ...HELLO, [name]: NEUTRAL[name] }, FACTS);
      });
    }
  }
});

describe('a seed', () => {
  for (const [given, used] of [
    [7, 7],
    [-1, 2 ** 32 - 1],
    [2 ** 40 + 5, 5],
  ] as const) {
    it(`of ${given} counts as ${used}`, () => {
      assert.equal(parseChatRequest({ ...HELLO, seed: given }, FACTS).chat.seed, used);
    });
  }
});
