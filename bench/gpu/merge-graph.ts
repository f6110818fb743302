/**
 * The merge of image features into a prompt's embeddings as a graph, so that it can run where both lie:
 *
 *     inputs   inputs_embeds [1, length, hidden], places int64 [features, 2], image_features [tiles, tokens, hidden]
 *     output   merged [1, length, hidden]
 */
import { encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import { int64s, node, value } from '../../test/fixtures/graphs/graph-builder.ts';

const OPSET = 17n;
const IR_VERSION = 8n;

export function mergeGraph(hidden: number): Uint8Array {
  return encodeModel({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: 'merge',
      node: [
        node('Reshape', ['image_features', 'flat'], ['rows']),
        node('ScatterND', ['inputs_embeds', 'places', 'rows'], ['merged']),
      ],
      initializer: [int64s('flat', [-1, hidden])],
      input: [
        value('inputs_embeds', 'float32', [1, 'length', hidden]),
        value('places', 'int64', ['features', 2]),
        value('image_features', 'float32', ['tiles', 'tokens', hidden]),
      ],
      output: [value('merged', 'float32', [1, 'length', hidden])],
    },
  });
}

/** `[0, position]` of every image token. */
export function placesOf(ids: Int32Array, imageTokenId: number): BigInt64Array {
  const positions = [...ids.entries()].filter(([, id]) => id === imageTokenId).map(([position]) => position);
  return BigInt64Array.from(positions.flatMap((position) => [0n, BigInt(position)]));
}
