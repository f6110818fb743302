import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { halfToNumber } from '../../actors/model/onnx/half-to-number.ts';
import { fourBit } from '../../bench/generated-model/four-bit.ts';
import { randomWeights } from '../../bench/generated-model/random-weights.ts';
import { bytesOf, GGUF_TYPE, ggufBytes, ggufRows, pairedRows } from '../../bench/llama/gguf-blocks.ts';

const INPUTS = 64;
const OUTPUTS = 3;

describe('matrices of a GGUF file', () => {
  it('have 4-bit weights of the same levels, with scales of 16 bits', () => {
    const weights = randomWeights('four', INPUTS * OUTPUTS, 1);
    const { levels, scales } = fourBit(weights);
    const rows = ggufRows({ kind: 'q4', levels, scales }, INPUTS, OUTPUTS);
    assert.equal(rows.length, ggufBytes(GGUF_TYPE.q4_0, weights.length));
    for (const [index, weight] of weights.entries()) {
      const stored = (levels[index >> 1] ?? 0) >> (4 * (index % 2));
      const block = Math.floor(index / 32);
      const scale = scaleAt(rows, block * 18);
      assert.equal(fourBitLevel(rows, index), stored & 15);
      assert(Math.abs(scale - (scales[block] ?? 0)) <= Math.abs(scale) * 2 ** -11);
      assert(Math.abs(scale * (fourBitLevel(rows, index) - 8) - weight) <= 1.01 * Math.abs(scale));
    }
  });

  it('have 8-bit weights of the same levels, turned to rows of outputs', () => {
    const levels = Int8Array.from({ length: INPUTS * OUTPUTS }, (_, index) => (index % 255) - 127);
    const rows = ggufRows({ kind: 'q8', levels, scale: 0.25 }, INPUTS, OUTPUTS);
    assert.equal(rows.length, ggufBytes(GGUF_TYPE.q8_0, levels.length));
    const bytes = new Int8Array(rows.buffer);
    for (let output = 0; output < OUTPUTS; output++) {
      for (let input = 0; input < INPUTS; input++) {
        const block = Math.floor((output * INPUTS + input) / 32);
        assert.equal(bytes[block * 34 + 2 + (input % 32)], levels[input * OUTPUTS + output]);
        assert.equal(scaleAt(rows, block * 34), 0.25);
      }
    }
  });

  it('have 32-bit weights as they are, turned to rows of outputs', () => {
    const rows = ggufRows({ kind: 'float', values: Float32Array.of(1, 2, 3, 4, 5, 6) }, 2, 3);
    assert.deepEqual([...new Float32Array(rows.buffer)], [1, 4, 2, 5, 3, 6]);
  });

  it('put the halves of a head that are rotated against each other side by side', () => {
    const rows = bytesOf(Float32Array.of(0, 1, 2, 3, 10, 11, 12, 13));
    const paired = pairedRows(rows, 2, 4);
    assert.deepEqual([...new Float32Array(paired.buffer)], [0, 2, 1, 3, 10, 12, 11, 13]);
  });

  it('refuse what is no whole block', () => {
    assert.throws(() => ggufBytes(GGUF_TYPE.q8_0, 33), /33 values are no blocks of 32/);
  });
});

function scaleAt(rows: Uint8Array, at: number): number {
  return halfToNumber(new DataView(rows.buffer, rows.byteOffset).getUint16(at, true));
}

/** Of a block's 16 bytes the low halves are the first 16 values, the high halves the others. */
function fourBitLevel(rows: Uint8Array, index: number): number {
  const within = index % 32;
  const byte = rows[Math.floor(index / 32) * 18 + 2 + (within % 16)] ?? 0;
  return within < 16 ? byte & 15 : byte >> 4;
}
