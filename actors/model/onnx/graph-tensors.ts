/** Every tensor that a graph holds: initializers and the constants in its nodes' attributes, subgraphs included. */
import type { OnnxGraph, OnnxTensor } from './onnx-types.ts';

export function tensorsOf(graph: OnnxGraph): OnnxTensor[] {
  const tensors = [...(graph.initializer ?? [])];
  for (const { attribute = [] } of graph.node ?? []) {
    for (const { t, tensors: list = [], g, graphs = [] } of attribute) {
      if (t !== undefined) tensors.push(t);
      tensors.push(...list);
      for (const inner of g === undefined ? graphs : [g, ...graphs]) tensors.push(...tensorsOf(inner));
    }
  }
  return tensors;
}
