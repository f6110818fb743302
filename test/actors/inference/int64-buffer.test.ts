import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Int64Buffer } from '../../../actors/inference/int64-buffer.ts';
import { halfToNumber, halvesToNumbers } from '../../../actors/model/onnx/half-to-number.ts';

describe('an int64 buffer', () => {
  it('holds plain numbers as 64-bit integers', () => {
    const buffer = new Int64Buffer();
    buffer.reset(3);
    buffer.set(0, 1);
    buffer.set(2, 2 ** 31 - 1);
    assert.deepEqual([...buffer.view(3)], [1n, 0n, 2_147_483_647n]);
  });

  it('is zero after a reset, whether it grew or not', () => {
    const buffer = new Int64Buffer();
    for (const length of [2, 2, 5, 1]) {
      buffer.reset(length);
      assert.ok(buffer.view(length).every((value) => value === 0n));
      for (let index = 0; index < length; index++) buffer.set(index, 7);
    }
  });
});

describe('half precision', () => {
  it('reads every kind of number', () => {
    const cases: readonly (readonly [number, number])[] = [
      [0x0000, 0],
      [0x8000, -0],
      [0x3c00, 1],
      [0xc000, -2],
      [0x3555, 0.333251953125],
      [0x7bff, 65_504],
      [0x0001, 2 ** -24],
      [0x0400, 2 ** -14],
      [0x7c00, Number.POSITIVE_INFINITY],
      [0xfc00, Number.NEGATIVE_INFINITY],
      [0x7e00, Number.NaN],
    ];
    for (const [bits, number] of cases) assert.equal(halfToNumber(bits), number);
  });

  it('reads many at once as it reads each', () => {
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    assert.deepEqual(halvesToNumbers(all), Float32Array.from(all, halfToNumber));
  });
});
