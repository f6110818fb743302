/** Rotary embedding in standard operators: the angle of each token and frequency. */
import { intAttribute, TYPE } from '../../test/fixtures/graphs/graph-builder.ts';
import { type GraphWriter, intsAttribute } from './graph-writer.ts';
import type { DecoderShape } from './shape.ts';

/**
 * @param suffix of the names, for decoders with several
 * @returns `[batch, length, headDim / 2]`. With sections each frequency goes by one of three positions (multimodal rotary
 *   embedding, Wang et al. 2024, "Qwen2-VL")
 */
export function rotaryAngles(
  graph: GraphWriter,
  { headDim, sections }: DecoderShape,
  ropeTheta: number,
  suffix = '',
): string {
  const half = headDim / 2;
  const frequencies = Array.from({ length: half }, (_, i) => 1 / ropeTheta ** (i / half));
  const floats = graph.node('Cast', ['position_ids'], `positions_float${suffix}`, [
    intAttribute('to', TYPE.float32),
  ]);
  const column = `positions_column${suffix}`;
  if (sections === undefined) graph.node('Unsqueeze', [floats, graph.ints(2)], column);
  else {
    const axes = sections.flatMap((count, axis) => Array<number>(count).fill(axis));
    const picked = graph.node('Gather', [floats, graph.ints(...axes)], `positions_picked${suffix}`, [
      intAttribute('axis', 0),
    ]);
    graph.node('Transpose', [picked], column, [intsAttribute('perm', [1, 2, 0])]);
  }
  const constant = graph.constant(`frequencies${suffix}`, [half], frequencies);
  return graph.node('Mul', [column, constant], `angles_half${suffix}`);
}
