/** The token embedding graph of a generated model. */
import { intAttribute, value } from '../../test/fixtures/graphs/graph-builder.ts';
import { GraphWriter } from './graph-writer.ts';
import { randomWeights } from './random-weights.ts';
import type { ModelShape } from './shape.ts';

/** 32 bits in every precision, as exports have it. */
export function writeEmbedding(
  path: string,
  { vocabulary, text }: ModelShape,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const graph = new GraphWriter('fp32');
  const table = graph.weights('embeddings', [vocabulary, text.hidden], () =>
    randomWeights('embeddings', vocabulary * text.hidden, 1),
  );
  graph.node('Gather', [table, 'input_ids'], 'inputs_embeds', [intAttribute('axis', 0)]);
  const dims = ['batch_size', 'sequence_length'];
  return graph.save(
    path,
    [value('input_ids', 'int64', dims)],
    [value('inputs_embeds', 'float32', [...dims, text.hidden])],
    onBytes,
  );
}
