import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PackedTexts } from '../../../actors/constraint/matcher/packed-texts.ts';

test('packed bytes of tokens come out as they went in', () => {
  const texts = new PackedTexts([
    Uint8Array.of(1, 2),
    undefined,
    new Uint8Array(0),
    Uint8Array.of(255, 0, 7),
  ]);
  assert.deepEqual(
    [0, 1, 2, 3, 4, -1].map((id) => texts.of(id)),
    [Uint8Array.of(1, 2), undefined, undefined, Uint8Array.of(255, 0, 7), undefined, undefined],
  );
});

test('no tokens have no bytes', () => {
  assert.equal(new PackedTexts([]).of(0), undefined);
});
