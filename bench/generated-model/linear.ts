/** A product with random weights that keeps the size of what goes in. */
import type { GraphWriter } from './graph-writer.ts';
import { randomWeights } from './random-weights.ts';

export function linear(
  graph: GraphWriter,
  x: string,
  name: string,
  inputs: number,
  outputs: number,
  out: string,
): string {
  const weights = () => randomWeights(name, inputs * outputs, 1 / Math.sqrt(inputs));
  return graph.linear(x, name, { inputs, outputs, weights }, out);
}
