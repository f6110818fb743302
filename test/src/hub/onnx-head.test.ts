import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { graphSignature } from '../../../actors/model/onnx/graph-signature.ts';
import { decodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import { type ByteSource, onnxHead } from '../../../src/hub/onnx-head.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const GRAPHS = globSync(['models/default/onnx/*.onnx', 'test/fixtures/**/*.onnx'], { cwd: ROOT });

function counted(bytes: Buffer): ByteSource & { readBytes: number } {
  return {
    size: bytes.length,
    readBytes: 0,
    async read(from, length) {
      this.readBytes += Math.min(length, bytes.length - from);
      return bytes.subarray(from, from + length);
    },
  };
}

describe('onnxHead', () => {
  it('has graphs to look at', () => assert(GRAPHS.length >= 9));

  for (const graph of GRAPHS) {
    it(`says of ${graph} what the whole file says`, async () => {
      const bytes = readFileSync(`${ROOT}/${graph}`);
      const head = await onnxHead(counted(bytes), graph);
      assert.deepEqual(graphSignature(decodeModel(head)), graphSignature(decodeModel(bytes)));
    });
  }

  it('reads little of a large graph', async () => {
    const bytes = readFileSync(`${ROOT}/models/default/onnx/vision_encoder.onnx`);
    const source = counted(bytes);
    const head = await onnxHead(source, 'vision');
    assert(source.readBytes < 0.05 * bytes.length, `${source.readBytes} of ${bytes.length}`);
    assert(head.length < source.readBytes);
  });

  const whole = readFileSync(`${ROOT}/models/default/onnx/embed_tokens_q4.onnx`);
  for (const [what, bytes] of [
    ['cut short', whole.subarray(0, whole.length - 10)],
    ['an LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')],
    ['endless varints', Buffer.alloc(100, 0xff)],
    ['a group, which nobody writes any more', Buffer.from([0x0b, 0x0c])],
  ] as const) {
    it(`refuses what is ${what}`, async () => {
      await assert.rejects(onnxHead(counted(bytes), 'a/b/onnx/x.onnx'), {
        code: 'MODEL_FILE_CORRUPT',
        message: /a\/b\/onnx\/x\.onnx/,
      });
    });
  }
});
