/** The token embedding graph of a generated model. */
import { intAttribute, value } from '../../test/fixtures/graphs/graph-builder.ts';
import { GraphWriter } from './graph-writer.ts';
import { randomWeights } from './random-weights.ts';
import type { ModelShape } from './shape.ts';

/** 32 bits in every precision, as exports have it. What comes out has a deviation of 1, scaled or not. */
export function writeEmbedding(
  path: string,
  { vocabulary, text }: ModelShape,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const graph = new GraphWriter('fp32');
  const scale = text.scalesEmbeddings ? Math.sqrt(text.hidden) : 1;
  const table = graph.weights('embeddings', [vocabulary, text.hidden], () =>
    randomWeights('embeddings', vocabulary * text.hidden, 1 / scale),
  );
  const found = text.scalesEmbeddings ? 'unscaled' : 'inputs_embeds';
  graph.node('Gather', [table, 'input_ids'], found, [intAttribute('axis', 0)]);
  if (text.scalesEmbeddings) {
    graph.node('Mul', [found, graph.constant('embedding_scale', [], [scale])], 'inputs_embeds');
  }
  const dims = ['batch_size', 'sequence_length'];
  return graph.save(
    path,
    [value('input_ids', 'int64', dims)],
    [value('inputs_embeds', 'float32', [...dims, text.hidden])],
    onBytes,
  );
}
