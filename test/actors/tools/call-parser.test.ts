import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCallParser } from '../../../actors/tools/parsers/call-parser.ts';
import type { ParsedPiece } from '../../../actors/tools/parsers/call-sink.ts';
import type { ToolStyle } from '../../../actors/tools/tool-style.ts';

interface Parsed {
  readonly text: string;
  readonly calls: readonly (readonly [name: string, given: string])[];
}

const NAMES = ['weather', 'get.time', 'f'];

/** What the pieces come to, with the promise kept that a call's name comes first. */
function parse(style: ToolStyle, chunks: readonly string[]): Parsed {
  let ids = 0;
  const parser = createCallParser(style, NAMES, () => `id${ids++}`);
  const pieces: ParsedPiece[] = [...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.end()];
  let text = '';
  const calls: [string, string][] = [];
  for (const piece of pieces) {
    if ('text' in piece) text += piece.text;
    else {
      const { index, id, name, arguments: given } = piece.call;
      if (calls[index] === undefined) {
        assert.equal(index, calls.length);
        assert.equal(id, `id${index}`);
        calls.push([String(name), given]);
      } else calls[index][1] += given;
    }
  }
  return { text, calls };
}

/** However the answer is cut: whole, into characters, and in two at every place. */
function assertParsed(style: ToolStyle, answer: string, expected: Parsed): void {
  const cuts = [[answer], [...answer]];
  for (let at = 1; at < answer.length; at++) cuts.push([answer.slice(0, at), answer.slice(at)]);
  for (const chunks of cuts) assert.deepEqual(parse(style, chunks), expected, JSON.stringify(chunks));
}

const weather = '{"city": "Os}lo \\"<tool_call>", "n": [1, {"a": 2}]}';

describe('calls after Hermes', () => {
  const CASES: readonly (readonly [what: string, answer: string, expected: Parsed])[] = [
    [
      'no call',
      'It is <b>warm</b>, \n I <tool think.\n',
      { text: 'It is <b>warm</b>, \n I <tool think.\n', calls: [] },
    ],
    [
      'one',
      `<tool_call>\n{"name": "weather", "arguments": ${weather}}\n</tool_call>`,
      { text: '', calls: [['weather', weather]] },
    ],
    [
      'text before, between and behind',
      'Let me see.\n\n<tool_call>{"name":"f","arguments":{}}</tool_call>\n<tool_call>\n{"name": "get.time", "arguments": {"a": 1}}\n</tool_call>\nDone < now',
      {
        text: 'Let me see.Done < now',
        calls: [
          ['f', '{}'],
          ['get.time', '{"a": 1}'],
        ],
      },
    ],
    [
      'arguments before the name, and other members',
      '<tool_call>{"id": 7, "arguments": {"a": 1}, "x": [true, "}"], "name": "f"}</tool_call>',
      { text: '', calls: [['f', '{"a": 1}']] },
    ],
    ['no arguments', '<tool_call>{"name": "f"}</tool_call>', { text: '', calls: [['f', '{}']] }],
    ['no end', '<tool_call>{"name": "f", "arguments": {}}\nso', { text: 'so', calls: [['f', '{}']] }],
    [
      'cut short in its arguments',
      '<tool_call>\n{"name": "f", "arguments": {"a": "b',
      { text: '', calls: [['f', '{"a": "b']] },
    ],
    ['cut short before them', 'a\n<tool_call>\n{"na', { text: 'a\n<tool_call>\n{"na', calls: [] }],
    [
      'a tool that there is not, then one that there is',
      '<tool_call>{"name": "g", "arguments": {}}</tool_call><tool_call>{"name": "f"}</tool_call>',
      { text: '<tool_call>{"name": "g", "arguments": {}}</tool_call>', calls: [['f', '{}']] },
    ],
    [
      'a mark in what is no call',
      '<tool_call><tool_call>{"name": "f"}</tool_call>',
      { text: '<tool_call>', calls: [['f', '{}']] },
    ],
    ['no object', '<tool_call>[1]</tool_call>', { text: '<tool_call>[1]</tool_call>', calls: [] }],
    [
      'arguments that are no object',
      '<tool_call>{"name": "f", "arguments": 7}</tool_call>',
      { text: '<tool_call>{"name": "f", "arguments": 7}</tool_call>', calls: [] },
    ],
  ];
  for (const [what, answer, expected] of CASES) it(what, () => assertParsed('hermes', answer, expected));
});

describe('calls after Mistral', () => {
  it('as a list', () =>
    assertParsed(
      'mistral',
      `Yes.[TOOL_CALLS] [{"name": "weather", "arguments": ${weather}}, {"name": "f", "arguments": {}, "id": "abcdefghi"}]`,
      {
        text: 'Yes.',
        calls: [
          ['weather', weather],
          ['f', '{}'],
        ],
      },
    ));
  it('by name, one after the other', () =>
    assertParsed(
      'mistral-args',
      `[TOOL_CALLS]weather[ARGS]${weather}[TOOL_CALLS]f[CALL_ID]abc[ARGS]{"a": 1}`,
      {
        text: '',
        calls: [
          ['weather', weather],
          ['f', '{"a": 1}'],
        ],
      },
    ));
  it('of no tool: text', () =>
    assertParsed('mistral-args', 'A [TOOL_CALLS]g[ARGS]{}', { text: 'A [TOOL_CALLS]g[ARGS]{}', calls: [] }));
});

describe('calls after Llama', () => {
  it('as objects', () =>
    assertParsed(
      'llama',
      `{"name": "weather", "parameters": ${weather}}; {"name": "f", "parameters": {}}\n`,
      {
        text: '',
        calls: [
          ['weather', weather],
          ['f', '{}'],
        ],
      },
    ));
  it('in Python', () =>
    assertParsed(
      'llama',
      `[weather(city='It\\'s "Oslo"', days=[1, -2.5], x={"a": None}), f(), get.time(utc=True)]`,
      {
        text: '',
        calls: [
          ['weather', '{"city": "It\'s \\"Oslo\\"", "days": [1, -2.5], "x": {"a": null}}'],
          ['f', '{}'],
          ['get.time', '{"utc": true}'],
        ],
      },
    ));
  for (const text of [
    '[1, 2]',
    '{"a": 1}',
    'Well, {"name": "f"}',
    '[g(a=1)]',
    '[f(a=open("x"))]',
    ' {"name": "f"',
    '',
  ]) {
    it(`text that is none: ${text}`, () => assertParsed('llama', text, { text, calls: [] }));
  }
});

it('holds no text back that cannot begin a call any more', () => {
  const parser = createCallParser('hermes', NAMES);
  const seen = [...'a <tool_x'].map((character) =>
    parser
      .push(character)
      .map((piece) => ('text' in piece ? piece.text : '?'))
      .join(''),
  );
  assert.deepEqual(seen, ['a', '', '', '', '', '', '', '', ' <tool_x']);
});

it('gives arguments out as they come', () => {
  const parser = createCallParser('hermes', NAMES, () => 'id');
  parser.push('<tool_call>{"name": "f", "arguments": {');
  assert.deepEqual(parser.push('"a": 1'), [{ call: { index: 0, arguments: '"a": 1' } }]);
});

it('reads an answer full of beginnings in time that grows with its length', () => {
  const answer = '<tool_call>{"a": "'.repeat(3000);
  assert.equal(parse('hermes', [answer]).text, answer);
});
