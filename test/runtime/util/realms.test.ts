import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import {
  errorCodeOf,
  isAbortSignal,
  isBlob,
  isDomException,
  isError,
  isErrorNamed,
  isPlainObject,
  isUrl,
  messageOf,
  textOf,
} from '../../../runtime/util/realms.ts';

/** As Jest and Vitest make them. */
const realm = createContext({});
const elsewhere = (code: string): unknown => runInContext(`(${code})`, realm);

describe('values of another realm', () => {
  it('are of no class of this one', () => {
    assert(!(elsewhere('new TypeError("x")') instanceof Error), 'else these tests show nothing');
  });

  it('are errors, with their name and message', () => {
    const error = elsewhere('new TypeError("wrong")');
    assert(isError(error));
    assert(isErrorNamed(error, 'TypeError'));
    assert(!isErrorNamed(error, 'RangeError'));
    assert.equal(messageOf(error), 'wrong');
  });

  it('are errors also when a class of theirs made them', () => {
    assert(isError(elsewhere('new (class Odd extends Error {})("odd")')));
  });

  it('have the code that Node gave them', () => {
    assert.equal(errorCodeOf(elsewhere('Object.assign(new Error("x"), { code: "ENOENT" })')), 'ENOENT');
    assert.equal(errorCodeOf(elsewhere('Object.assign(new Error("x"), { code: 5 })')), undefined);
    assert.equal(errorCodeOf(elsewhere('({ code: "ENOENT" })')), undefined);
  });

  it('are plain objects, or not', () => {
    assert(isPlainObject(elsewhere('({})')));
    assert(isPlainObject(elsewhere('Object.create(null)')));
    for (const code of [
      'new Map()',
      'new (class {})()',
      '[]',
      'new Date()',
      '() => {}',
      'Object.create(Object.create(null))',
    ])
      assert(!isPlainObject(elsewhere(code)), code);
  });
});

describe('values of this realm', () => {
  it('thrown by Node are errors with a code', () => {
    try {
      readFileSync('/no/such/file');
      assert.fail('it is not there');
    } catch (error) {
      assert.equal(errorCodeOf(error), 'ENOENT');
    }
  });

  it('that are DOMExceptions are errors, too', () => {
    const exception = new DOMException('gone', 'AbortError');
    assert(isError(exception) && isDomException(exception) && isErrorNamed(exception, 'AbortError'));
    assert(!isDomException(new Error('gone')));
  });

  it('that only look like errors are none', () => {
    for (const value of [{ name: 'Error', message: 'x' }, 'Error', null, undefined]) assert(!isError(value));
    assert.equal(messageOf('just text'), 'just text');
    assert.equal(messageOf(null), 'null');
  });
});

describe('what has a class of its own in a polyfill', () => {
  it('is an AbortSignal by what it can do', () => {
    assert(isAbortSignal(new AbortController().signal));
    const homemade = Object.assign(new EventTarget(), { aborted: false });
    assert(isAbortSignal(homemade));
    for (const value of [{}, { aborted: true }, { ...new EventTarget(), aborted: 'no' }, 'signal', null])
      assert(!isAbortSignal(value));
  });

  it('is a Blob by what it can do', () => {
    assert(isBlob(new Blob(['x'])) && isBlob(new File(['x'], 'x.png')));
    assert(isBlob({ size: 1, arrayBuffer: async () => new ArrayBuffer(1) }));
    for (const value of [new Response('x'), new ArrayBuffer(1), { size: 1 }, null]) assert(!isBlob(value));
  });

  it('is a URL when it says so', () => {
    assert(isUrl(new URL('https://example.org')));
    assert(isUrl({ href: 'https://example.org', [Symbol.toStringTag]: 'URL' }));
    for (const value of [{ href: 'https://example.org' }, 'https://example.org', null]) assert(!isUrl(value));
  });
});

describe('what a value says', () => {
  const stubborn = () => {
    throw new Error('not telling');
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const wordless: readonly (readonly [what: string, value: unknown])[] = [
    ['an object without a prototype', Object.create(null)],
    ['an object whose toString throws', { toString: stubborn }],
    ['an error whose message throws', Object.defineProperty(new Error(), 'message', { get: stubborn })],
    ['an error whose message is no text', Object.assign(new Error(), { message: Object.create(null) })],
    ['a proxy that was revoked', revoked.proxy],
  ];
  for (const [what, value] of wordless)
    it(`is that it cannot be shown, for ${what}`, () => {
      assert.equal(messageOf(value), 'a value that cannot be shown');
    });

  it('is its description, for a symbol', () => {
    assert.deepEqual([messageOf(Symbol('s')), textOf(Symbol('s'))], ['Symbol(s)', 'Symbol(s)']);
  });
});
