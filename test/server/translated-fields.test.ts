import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { BASE64_SOURCE_FIELDS, URL_SOURCE_FIELDS } from '../../src/server/anthropic/image-source.ts';
import { parseCountRequest, parseMessagesRequest } from '../../src/server/anthropic/messages-request.ts';
import * as anthropic from '../../src/server/anthropic/request-fields.ts';
import { parseCompletionRequest } from '../../src/server/completions/completion-request.ts';
import { COMPLETION_FIELDS } from '../../src/server/completions/request-fields.ts';
import type { RequestFacts, ServedChat } from '../../src/server/endpoint/served-chat.ts';
import type { FieldRules } from '../../src/server/openai/field-rule.ts';
import * as items from '../../src/server/responses/item-fields.ts';
import { RESPONSE_FIELDS } from '../../src/server/responses/request-fields.ts';
import { parseResponseRequest } from '../../src/server/responses/response-request.ts';
import * as tokenize from '../../src/server/tokenize/request-fields.ts';
import { parseDetokenizeRequest, parseTokenizeRequest } from '../../src/server/tokenize/tokenize-request.ts';
import { fieldTable, groupedTable } from './support/field-table.ts';

const FACTS: RequestFacts = { modelNames: ['pilot'], allowPull: false, maxImages: 8 };

const refusal = (param: string) => (error: unknown) =>
  error instanceof Error && 'facts' in error && (error.facts as { param: string }).param === param;

/** Fields of a type in the official client. */
function fieldsOfClient(file: string, type: string, indent = 4): string[] {
  const main = createRequire(import.meta.url).resolve('openai');
  const text = readFileSync(join(dirname(main), 'resources', file), 'utf8');
  const start = text.indexOf(`interface ${type} {`);
  assert(start > 0, type);
  const body = text.slice(start, text.indexOf(`\n${' '.repeat(indent - 4)}}\n`, start));
  return [...body.matchAll(new RegExp(`^ {${indent}}(\\w+)\\??:`, 'gm'))].map(([, name = '']) => name);
}

const RESPONSES = 'responses/responses.d.ts';

describe('the tables of other APIs', () => {
  for (const [file, type, rules, indent] of [
    [RESPONSES, 'ResponseCreateParamsBase', RESPONSE_FIELDS, 4],
    [RESPONSES, 'EasyInputMessage', items.MESSAGE_ITEM_FIELDS, 4],
    [RESPONSES, 'ResponseOutputMessage', items.MESSAGE_ITEM_FIELDS, 4],
    [RESPONSES, 'ResponseFunctionToolCall', items.CALL_ITEM_FIELDS, 4],
    [RESPONSES, 'FunctionCallOutput', items.CALL_OUTPUT_FIELDS, 8],
    [RESPONSES, 'ResponseInputText', items.INPUT_TEXT_FIELDS, 4],
    [RESPONSES, 'ResponseOutputText', items.OUTPUT_TEXT_FIELDS, 4],
    [RESPONSES, 'ResponseInputImage', items.INPUT_IMAGE_FIELDS, 4],
    [RESPONSES, 'ResponseInputFile', items.INPUT_FILE_FIELDS, 4],
    [RESPONSES, 'FunctionTool', items.FUNCTION_TOOL_FIELDS, 4],
    ['completions.d.ts', 'CompletionCreateParamsBase', COMPLETION_FIELDS, 4],
  ] as const) {
    it(`know every field that the official client has in ${type}`, () => {
      const fields = fieldsOfClient(file, type, indent);
      assert(fields.length >= 2, fields.join());
      assert.deepEqual(
        fields.filter((name) => !(name in rules)),
        [],
      );
    });
  }

  it('are those of the documentation', () => {
    const docs = readFileSync(new URL('../../docs/server.md', import.meta.url), 'utf8');
    const parts = { ...items, ...tokenize, BASE64_SOURCE_FIELDS, URL_SOURCE_FIELDS };
    const { MESSAGES_FIELDS, COUNT_FIELDS: _, ...blocks } = anthropic;
    for (const table of [
      ...[RESPONSE_FIELDS, COMPLETION_FIELDS, MESSAGES_FIELDS].map(fieldTable),
      ...Object.values({ ...parts, ...blocks }).map(groupedTable),
    ]) {
      assert(docs.includes(`\n\n${table}\n\n`), `is not in docs/server.md:\n${table}`);
    }
  });

  const asked = { messages: [{ role: 'user', content: 'Hi' }] };
  for (const [api, rules, least, read] of [
    ['responses', RESPONSE_FIELDS, { input: 'Hi' }, parseResponseRequest],
    ['messages', anthropic.MESSAGES_FIELDS, { ...asked, max_tokens: 4 }, parseMessagesRequest],
    ['count_tokens', anthropic.COUNT_FIELDS, asked, parseCountRequest],
    ['completions', COMPLETION_FIELDS, { prompt: 'Hi' }, parseCompletionRequest],
    ['tokenize', tokenize.PROMPT_FIELDS, { prompt: 'Hi' }, parseTokenizeRequest],
    ['tokenize', tokenize.CONVERSATION_FIELDS, asked, parseTokenizeRequest],
    ['tokenize', tokenize.CONTENT_FIELDS, { content: 'Hi' }, parseTokenizeRequest],
    ['detokenize', tokenize.DETOKENIZE_FIELDS, { tokens: [1] }, parseDetokenizeRequest],
  ] as readonly [string, FieldRules, object, (body: unknown, facts: RequestFacts) => ServedChat][]) {
    const plain = read(least, FACTS).chat;
    const send = (name: string, value: unknown) => read({ ...least, [name]: value }, FACTS).chat;
    for (const [name, rule] of [...Object.entries(rules), ['temprature', undefined] as const]) {
      if (rule?.kind === 'honoured') continue;
      it(`${api} with ${name}: nothing is changed, or it is refused by name`, () => {
        assert.deepEqual(send(name, null), plain);
        if (rule?.kind === 'accepted') {
          for (const value of ['x', 7, true, {}, []]) assert.deepEqual(send(name, value), plain);
          return;
        }
        if (rule?.kind === 'only') {
          for (const value of JSON.parse(`[${rule.values}]`)) assert.deepEqual(send(name, value), plain);
        }
        for (const value of ['x', { type: 'x' }, ['x']])
          assert.throws(() => send(name, value), refusal(name));
      });
    }
  }
});

describe('what is wrong is named as the client wrote it', () => {
  const image = (url: string) => ({ role: 'user', content: [{ type: 'input_image', image_url: url }] });
  for (const [body, param] of [
    [{}, 'input'],
    [{ input: [] }, 'input'],
    [{ input: 7 }, 'input'],
    [{ input: [{ role: 'robot', content: '' }] }, 'input[0].role'],
    [{ instructions: 'x', input: [{ role: 'user', content: 7 }] }, 'input[0].content'],
    [{ input: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, 'input[0].content[0].type'],
    [{ instructions: 'x', input: [image('ftp://x')] }, 'input[0].content[0].image_url'],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[0]'],
    [{ input: [{ type: 'web_search_call' }] }, 'input[0].type'],
    [{ input: [{ role: 'user', content: 'a', name: 'b' }] }, 'input[0].name'],
    [{ input: 'a', max_output_tokens: 0 }, 'max_output_tokens'],
    [{ input: 'a', temperature: 3 }, 'temperature'],
    [{ input: 'a', metadata: { a: 7 } }, 'metadata'],
    [{ input: 'a', text: { verbosity: 'high' } }, 'text.verbosity'],
    [
      { input: 'a', stream: true, stream_options: { include_obfuscation: true } },
      'stream_options.include_obfuscation',
    ],
    [{ input: 'a', tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [{ input: 'a', include: 'x' }, 'include'],
  ] as const) {
    it(`responses: ${param} of ${JSON.stringify(body)}`, () => {
      assert.throws(() => parseResponseRequest(body, FACTS), refusal(param));
    });
  }

  const said = (content: unknown, role = 'user') => ({ max_tokens: 4, messages: [{ role, content }] });
  for (const [body, param] of [
    [{ messages: [{ role: 'user', content: 'a' }] }, 'max_tokens'],
    [{ max_tokens: 4 }, 'messages'],
    [said('a', 'system'), 'messages[0].role'],
    [said([{ type: 'document' }]), 'messages[0].content[0].type'],
    [
      said([{ type: 'image', source: { type: 'base64', data: 'AA', media_type: 'text/html' } }]),
      'messages[0].content[0].source.media_type',
    ],
    [
      { ...said([{ type: 'image', source: { type: 'url', url: 'ftp://x' } }]), system: 'x' },
      'messages[0].content[0].source.url',
    ],
    [
      said([{ type: 'image', source: { type: 'url', url: 'https://x.org/a.png' } }], 'assistant'),
      'messages[0].content[0].type',
    ],
    [
      said([{ type: 'tool_use', id: 'a', name: 'b', input: 'c' }], 'assistant'),
      'messages[0].content[0].input',
    ],
    [{ ...said('a'), max_tokens: 0 }, 'max_tokens'],
    [{ ...said('a'), stop_sequences: [''] }, 'stop_sequences[0]'],
    [{ ...said('a'), system: 7 }, 'system'],
    [{ ...said('a'), tool_choice: { type: 'maybe' } }, 'tool_choice.type'],
    [{ ...said('a'), tools: [{ type: 'bash_20250124', name: 'bash' }] }, 'tools[0].type'],
    [{ ...said('a'), output_config: { effort: 'low' } }, 'output_config.effort'],
    [{ ...said('a'), thinking: { type: 'enabled', budget_tokens: 9 } }, 'thinking'],
    [{ ...said('a'), temprature: 1 }, 'temprature'],
  ] as const) {
    it(`messages: ${param} of ${JSON.stringify(body)}`, () => {
      assert.throws(() => parseMessagesRequest(body, FACTS), refusal(param));
    });
  }

  for (const [body, param] of [
    [{}, 'prompt'],
    [{ prompt: ['a', 'b'] }, 'prompt'],
    [{ prompt: [1, -1] }, 'prompt[1]'],
    [{ prompt: [[1, 'x']] }, 'prompt[0][1]'],
    [{ prompt: 'a', max_tokens: 0 }, 'max_tokens'],
    [{ prompt: 'a', suffix: 'b' }, 'suffix'],
    [{ prompt: 'a', echo: true }, 'echo'],
    [{ prompt: 'a', best_of: 2 }, 'best_of'],
  ] as const) {
    it(`completions: ${param} of ${JSON.stringify(body)}`, () => {
      assert.throws(() => parseCompletionRequest(body, FACTS), refusal(param));
    });
  }
});
