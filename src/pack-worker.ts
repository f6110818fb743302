/** Packs one graph's weights on a pool thread: onnxruntime loads and saves a graph synchronously. */
import { type PackedGraph, type PackRequest, packedGraph } from '../actors/inference/packed-graph.ts';

export default function pack(request: PackRequest): Promise<PackedGraph> {
  return packedGraph(request);
}
