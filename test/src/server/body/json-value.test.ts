import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_DEPTH, MAX_VALUES } from '../../../../src/server/body/json-shape.ts';
import { parseJson } from '../../../../src/server/body/json-value.ts';
import { ApiError } from '../../../../src/server/openai/api-error.ts';

const bytes = (text: string) => Buffer.from(text);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

function assertRefused(json: Uint8Array, code: string, param: string | null, message: RegExp): void {
  assert.throws(
    () => parseJson(json),
    (error) => {
      assert(error instanceof ApiError);
      assert.equal(error.facts.status, 400);
      assert.equal(error.facts.code, code);
      assert.equal(error.facts.param ?? null, param);
      assert.match(error.message, message);
      return true;
    },
  );
}

describe('JSON from a client', () => {
  for (const [name, text] of [
    ['an object', '{"a":[1,-2.5e3,true,false,null,"b\\u00e9\\n"],"":{}}'],
    ['brackets, commas and colons in a text', '{"a":"[[[{{{,,,:::","b\\"[":1}'],
    ['a backslash at the end of a text', '["\\\\",["\\\\\\""]]'],
    ['a pair of surrogates', '["\\ud83d\\ude00"]'],
    ['the same name in different objects', '{"a":{"a":1},"b":[{"a":1},{"a":2}]}'],
    ['as deep as it may be', nested(MAX_DEPTH)],
    ['as many values as there may be', `[${'1,'.repeat(MAX_VALUES - 3)}1]`],
    ['a name like those that objects have', '{"constructor":1,"toString":2,"hasOwnProperty":3}'],
  ] as const) {
    it(`is read: ${name}`, () => {
      assert.deepEqual(parseJson(bytes(text)), JSON.parse(text));
    });
  }

  it('may begin with a byte order mark', () => {
    assert.deepEqual(parseJson(bytes('\ufeff{"a":1}')), { a: 1 });
  });

  for (const [name, text, param] of [
    ['lists', `{"messages":${nested(MAX_DEPTH)}}`, 'messages'],
    ['a million lists that are never closed', '['.repeat(1_000_000), 'body'],
    ['objects', `{"x":1,"logit_bias":${'{"a":'.repeat(MAX_DEPTH)}`, 'logit_bias'],
  ] as const) {
    it(`is refused when it is nested too deep: ${name}`, () => {
      assertRefused(bytes(text), 'body_too_complex', param, /nested deeper than 64 levels/);
    });
  }

  for (const [name, text, param] of [
    ['in a list', `{"messages":[${'1,'.repeat(MAX_VALUES)}1]}`, 'messages'],
    ['as objects', `[${'{},'.repeat(MAX_VALUES)}{}]`, 'body'],
    ['as members', `{"a":0${',"k":1'.repeat(MAX_VALUES)}}`, 'k'],
  ] as const) {
    it(`is refused when it has too many values, ${name}`, () => {
      assertRefused(bytes(text), 'body_too_complex', param, /over 131072 values/);
    });
  }

  for (const [name, text, param] of [
    ['plain', '{"model":"a","model":"b"}', 'model'],
    ['written differently', '{"a":[{"b":1,"\\u0062":2}]}', 'b'],
    ['three times, with spaces', '{"a" : 1, "a"\n:2, "a":3}', 'a'],
  ] as const) {
    it(`is refused when a name comes twice in an object: ${name}`, () => {
      assertRefused(bytes(text), 'invalid_json', param, /comes twice/);
    });
  }

  it('is refused with __proto__ as a name, however it is written and wherever it is', () => {
    assertRefused(bytes('{"a":[{"__proto__":1}]}'), 'invalid_json', 'a[0].__proto__', /no name/);
    assertRefused(bytes('{"\\u005f_proto__":1}'), 'invalid_json', '__proto__', /no name/);
  });

  it('is refused with half a surrogate pair, in a value or a name', () => {
    assertRefused(bytes('{"m":[{"c":"a\\ud800"}]}'), 'invalid_value', 'm[0].c', /surrogate/);
    assertRefused(bytes('{"\\udc00":1}'), 'invalid_value', '\ufffd', /surrogate/);
  });

  it('is refused when it is not UTF-8', () => {
    for (const wrong of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      assertRefused(Buffer.from([0x22, ...wrong, 0x22]), 'invalid_json', null, /UTF-8/);
    }
    assertRefused(Buffer.from('{"a":1}', 'utf16le'), 'invalid_json', null, /no valid JSON/);
  });

  for (const text of [
    '{"a":NaN}',
    '[Infinity]',
    '[1,]',
    "{'a':1}",
    '{"a":01}',
    '["\t"]',
    '{"a":',
    '"',
    '1 2',
    '// a\n1',
  ]) {
    it(`is refused when it is none: ${JSON.stringify(text)}`, () => {
      assertRefused(bytes(text), 'invalid_json', null, /^The body is no valid JSON/);
    });
  }

  it('is refused when there is none', () => {
    assertRefused(Buffer.alloc(0), 'invalid_json', null, /empty/);
  });

  it('is refused in few words, however much of it there is', () => {
    const long = 'x'.repeat(1_000_000);
    for (const text of [
      `{"${long}":1,"${long}":2}`,
      `{"${long}":${nested(100)}}`,
      `{"${long}":"\\ud800"}`,
      `[${long}]`,
    ]) {
      assert.throws(
        () => parseJson(bytes(text)),
        (error) => error instanceof ApiError && JSON.stringify(error.body).length < 500,
      );
    }
  });
});
