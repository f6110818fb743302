import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DecodesTokens, Detokenizer } from '../../../actors/model/detokenizer.ts';
import { promptSetup } from './support/prompts.ts';

const { tokenizer, decoder: whole } = await promptSetup();

function stream(ids: readonly number[], decoder: DecodesTokens = whole): string[] {
  const detokenizer = new Detokenizer(decoder);
  const pieces = ids.map((id) => detokenizer.push(id));
  return [...pieces, detokenizer.flush()];
}

/** A tokenizer whose token ids are byte values; 1 is special. */
const bytes: DecodesTokens & { longest: number } = {
  longest: 0,
  isSpecial: (id) => id === 1,
  decode(ids) {
    this.longest = Math.max(this.longest, ids.length);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(ids));
  },
};

function assertSame(ids: readonly number[]): void {
  assert.equal(stream(ids, bytes).join(''), bytes.decode(ids.filter((id) => id !== 1)));
}

test('text comes out token by token and adds up to the decoded whole', () => {
  const ids = tokenizer.encodePlain('There is a blue star at the bottom left.', false);
  const pieces = stream(ids);
  assert.equal(pieces.join(''), whole.decode(ids));
  assert.ok(pieces.slice(0, -1).every((piece) => piece !== ''));
});

test('a token that ends inside a character waits for the rest of it', () => {
  assert.deepEqual(stream([...Buffer.from('a🎭b')], bytes), ['a', '', '', '', '🎭', 'b', '']);
});

test('special tokens have no text and do not disturb a character around them', () => {
  assert.deepEqual(stream([0xc3, 1, 0xa9], bytes), ['', '', 'é', '']);
});

test('a special token that is shown has its text, behind what came before it', () => {
  const detokenizer = new Detokenizer(bytes, new Map([[1, '[CALL]']]));
  const pieces = [0x61, 0xc3, 1, 0x62, 1].map((id) => detokenizer.push(id));
  assert.deepEqual([...pieces, detokenizer.flush()], ['a', '', '\uFFFD[CALL]', 'b', '[CALL]', '']);
});

test('an incomplete character at the end is replaced by flush', () => {
  assert.deepEqual(stream([0x61, 0xe2, 0x82], bytes), ['a', '', '', '\uFFFD']);
});

test('a byte order mark inside the text is text', () => {
  assertSame([...Buffer.from('a\uFEFFb')]);
});

test('a real replacement character in the text is not lost', () => {
  assertSame([...Buffer.from('a\uFFFD'), ...Buffer.from('\uFFFDb')]);
});

test('bytes that never become characters are released, and the window stays short', () => {
  bytes.longest = 0;
  const broken = new Array<number>(2_000).fill(0x80);
  const pieces = stream(broken, bytes);
  assert.ok(bytes.longest <= 20, `window of ${bytes.longest} tokens`);
  assert.equal(pieces.join(''), '\uFFFD'.repeat(2_000));
  assert.ok(pieces.slice(0, 100).join('').length > 90);
});

test('any sequence of bytes gives the same text as decoding it whole', () => {
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const interesting = [0x41, 0x80, 0xbf, 0xc3, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x8e, 0xad, 0xff, 1];
  for (let round = 0; round < 2_000; round++) {
    assertSame(Array.from({ length: 1 + random(40) }, () => interesting[random(interesting.length)] ?? 0x41));
  }
});

test('a decoder that drops the first space keeps the later ones', () => {
  const words: DecodesTokens = {
    isSpecial: () => false,
    decode: (ids) =>
      ids
        .map((id) => ` w${id}`)
        .join('')
        .trimStart(),
  };
  assert.equal(stream([1, 2, 3], words).join(''), 'w1 w2 w3');
});

test('a long answer costs the same per token as a short one', () => {
  bytes.longest = 0;
  stream(new Array<number>(5_000).fill(0x61), bytes);
  assert.ok(bytes.longest <= 3);
});
