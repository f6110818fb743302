import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GgufTensor } from '../../bench/llama/gguf-types.ts';
import { OnnxWeights } from '../../bench/llama/onnx-weights.ts';
import { visionConfig } from '../../bench/llama/vision-config.ts';
import { VisionTensors } from '../../bench/llama/vision-tensors.ts';
import { DEFAULT_MODEL_DIRECTORY } from '../../src/index.ts';

const WEIGHTS = new URL('../../models/default/onnx/vision_encoder.onnx', import.meta.url).pathname;
const PROJECTION = 'model.connector.modality_projection.proj.weight';

const gelu = (x: number) =>
  x > 10 ? x : x < -10 ? 0 : (x / 2) * (1 + Math.tanh(0.79788456 * (x + 0.044715 * x ** 3)));

/** Rows of outputs times a vector. */
function product(rows: Float32Array, vector: readonly number[]): number[] {
  const outputs = rows.length / vector.length;
  return Array.from({ length: outputs }, (_, output) =>
    vector.reduce((sum, value, input) => sum + value * (rows[output * vector.length + input] ?? 0), 0),
  );
}

it('two products with a GELU between project image tokens as one product does', async () => {
  const config = await visionConfig(DEFAULT_MODEL_DIRECTORY);
  const weights = await OnnxWeights.open(WEIGHTS);
  const tensors = new Map(new VisionTensors(config, weights).all().map((tensor) => [tensor.name, tensor]));
  const rowsOf = async (tensor: GgufTensor | undefined) => {
    const bytes = await tensor?.make();
    assert(bytes !== undefined);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  };
  const first = await rowsOf(tensors.get('mm.1.weight'));
  const second = await rowsOf(tensors.get('mm.2.weight'));
  const inputs = config.tower.hidden_size * config.scale ** 2;
  const token = Array.from({ length: inputs }, (_, index) => Math.sin(index));
  const projected = product(second, product(first, token).map(gelu));
  const matrix = await weights.matrix(PROJECTION);
  assert(matrix.kind === 'float');
  for (const [output, value] of projected.entries()) {
    const expected = token.reduce(
      (sum, one, input) => sum + one * (matrix.values[input * config.textWidth + output] ?? 0),
      0,
    );
    assert(Math.abs(value - expected) < 1e-5, `${output}: ${value}, not ${expected}`);
  }
  assert.equal(projected.length, config.textWidth);
});
