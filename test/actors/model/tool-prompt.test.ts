import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChatTemplate } from '../../../actors/model/chat-template.ts';
import { ToolPrompt } from '../../../actors/model/tool-prompt.ts';
import { toTemplateMessages } from '../../../actors/processor/template-messages.ts';
import { toolStyleOf } from '../../../actors/tools/tool-style.ts';
import type { ChatMessage } from '../../../src/chat-types.ts';

const TOOLS = [{ name: 'weather', description: 'The weather', parameters: { type: 'object' } }];

const CONVERSATION: readonly ChatMessage[] = [
  { role: 'user', content: 'Rain?' },
  {
    role: 'assistant',
    content: 'Let me see.',
    toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Oslo","n":[1,2]}' }],
  },
  { role: 'tool', toolCallId: 'call_1', content: '{"rain": true}' },
  { role: 'user', content: 'And now?' },
];

function rendered(chatTemplate: string, messages: readonly ChatMessage[], tools = TOOLS): string {
  const template = new ChatTemplate({ path: '', chatTemplate, tokenizerConfig: {} });
  const style = toolStyleOf(chatTemplate);
  // Images of callers are not looked at here.
  const conversation = toTemplateMessages(messages as never, style);
  return new ToolPrompt(template, {}).render(conversation, tools, style);
}

const SAID =
  '{%- if m.content is string -%}{{ m.content }}{%- else -%}{%- for p in m.content -%}{{ p.text }}{%- endfor -%}{%- endif -%}';

/** In the manner of Qwen3-VL. */
const QWEN = `{%- if tools -%}<tools>{%- for t in tools -%}{{ t | tojson }}{%- endfor -%}</tools>{%- endif -%}
{%- for m in messages -%}[{{ m.role }}]${SAID}
{%- for c in m.tool_calls or [] -%}<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}</tool_call>{%- endfor -%}
{%- endfor -%}`;

/** In the manner of Mistral: ids of nine letters and digits, results by id, contents of tools as text alone. */
const MISTRAL = `{%- if tools -%}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{%- endif -%}
{%- for m in messages -%}
{%- if m.role == 'tool' -%}[TOOL_RESULTS]{"content": {{ m.content }}, "call_id": "{{ m.tool_call_id }}"}[/TOOL_RESULTS]
{%- elif m.tool_calls is defined -%}[TOOL_CALLS]{%- for c in m.tool_calls -%}
{%- if c.id | length != 9 -%}{{ raise_exception('ids have 9 characters') }}{%- endif -%}
{{ c.function | tojson }}{{ c.id }}{%- endfor -%}
{%- else -%}[{{ m.role }}]${SAID}{%- endif -%}{%- endfor -%}`;

/** Knows of no tools, and wants turns to alternate. */
const PLAIN = `{%- for m in messages if m.role != 'system' -%}{%- if (m.role == 'user') != (loop.index0 % 2 == 0) -%}
{{ raise_exception('turns alternate') }}{%- endif -%}{%- endfor -%}
{%- for m in messages -%}[{{ m.role }}]{%- for p in m.content -%}{{ p.text }}{%- endfor -%}{%- endfor -%}`;
/** The same without system messages. */
const NO_SYSTEM = `{%- for m in messages if m.role == 'system' -%}{{ raise_exception('no system') }}{%- endfor -%}${PLAIN}`;

const DEFINITION =
  '{"type": "function", "function": {"name": "weather", "description": "The weather", "parameters": {"type": "object"}}}';
const INTRODUCTION = [
  '# Tools\n\nYou may call one or more functions to assist with the user query.\n\n',
  'You are provided with function signatures within <tools></tools> XML tags:\n',
  `<tools>\n${DEFINITION.replaceAll(': ', ':').replaceAll(', ', ',')}\n</tools>\n\n`,
  'For each function call, return a json object with function name and arguments like this:\n',
  '<tool_call>\n{"name": "<function-name>", "arguments": <args-json-object>}\n</tool_call>',
].join('');

describe('a template that knows of tools', () => {
  it('is given definitions, calls with their arguments as objects, and results', () => {
    const call = '<tool_call>{"name": "weather", "arguments": {"city": "Oslo", "n": [1, 2]}}</tool_call>';
    assert.equal(
      rendered(QWEN, CONVERSATION),
      `<tools>${DEFINITION}</tools>[user]Rain?[assistant]Let me see.${call}[tool]{"rain": true}[user]And now?`,
    );
  });
  it('gets ids that it takes, the same for a call and its result', () => {
    const prompt = rendered(MISTRAL, CONVERSATION);
    const [, id] = /"call_id": "([a-zA-Z0-9]{9})"/.exec(prompt) ?? [];
    assert(id !== undefined && prompt.includes(`}${id}[TOOL_RESULTS]`), prompt);
    assert(prompt.includes('{"content": {"rain": true},'));
  });
  it('is not told of tools in a conversation that has calls alone', () => {
    assert(!rendered(QWEN, CONVERSATION, []).includes('<tools>'));
  });
});

describe('a template that does not', () => {
  const call = '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo", "n": [1, 2]}}\n</tool_call>';
  const result = '<tool_response>\n{"rain": true}\n</tool_response>';
  const turns = `[user]Rain?[assistant]Let me see.\n${call}[user]${result}\nAnd now?`;

  it('is told in a system message', () => {
    assert.equal(rendered(PLAIN, CONVERSATION), `[system]${INTRODUCTION}${turns}`);
  });
  it('is told behind what the system message says', () => {
    const asked = [{ role: 'system', content: 'Be brief.' }, ...CONVERSATION] as const;
    assert.equal(rendered(PLAIN, asked), `[system]Be brief.\n\n${INTRODUCTION}${turns}`);
  });
  it('is told by the user where it takes no system messages', () => {
    assert.equal(rendered(NO_SYSTEM, CONVERSATION), turns.replace('Rain?', `${INTRODUCTION}\n\nRain?`));
  });
  it('is told nothing where there are no tools', () => {
    assert.equal(rendered(PLAIN, CONVERSATION, []), turns);
  });
});

it('the style is the one that the template teaches', () => {
  assert.equal(toolStyleOf(QWEN), 'hermes');
  assert.equal(toolStyleOf(MISTRAL), 'mistral');
  assert.equal(toolStyleOf(MISTRAL.replace('{{ c.id }}', '[ARGS]')), 'mistral-args');
  assert.equal(toolStyleOf("{{ tools }}{{ '<|python_start|>' }}"), 'llama');
  assert.equal(toolStyleOf(PLAIN), 'hermes');
});
