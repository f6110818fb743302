/**
 * The merge of image features into a prompt's embeddings as a graph, so that it can run where both lie:
 *
 *     inputs   inputs_embeds [1, length, hidden], places int64 [features, 2], image_features [tiles, tokens, hidden]
 *     output   merged [1, length, hidden]
 */
import { node, smallGraph } from '../../actors/inference/gpu/small-graph.ts';

export function mergeGraph(hidden: number): Uint8Array {
  return smallGraph({
    inputs: [
      ['inputs_embeds', 'float32', 3],
      ['places', 'int64', 2],
      ['image_features', 'float32', 3],
    ],
    constants: { flat: [-1, hidden] },
    nodes: [
      node('Reshape', ['image_features', 'flat'], 'rows'),
      node('ScatterND', ['inputs_embeds', 'places', 'rows'], 'merged'),
    ],
    outputs: [['merged', 'float32', 3]],
  });
}

/** `[0, position]` of every image token. */
export function placesOf(ids: Int32Array, imageTokenId: number): BigInt64Array {
  const positions = [...ids.entries()].filter(([, id]) => id === imageTokenId).map(([position]) => position);
  return BigInt64Array.from(positions.flatMap((position) => [0n, BigInt(position)]));
}
