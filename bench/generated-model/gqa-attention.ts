/** Attention by ONNX Runtime's fused operator over the cache, fed as the project's own exports feed it. */
import { intAttribute, TYPE } from '../../test/fixtures/graphs/graph-builder.ts';
import type { Attention } from './decoder-graph.ts';
import { type GraphWriter, MICROSOFT } from './graph-writer.ts';
import type { ModelShape } from './shape.ts';

export class GroupQueryAttention implements Attention {
  readonly #graph: GraphWriter;
  readonly #shape: ModelShape;

  constructor(graph: GraphWriter, shape: ModelShape) {
    this.#graph = graph;
    this.#shape = shape;
    const { contextLength, text } = shape;
    const dims = [contextLength, text.headDim / 2];
    graph.weights('cos_cache', dims, () => rotaryTable(shape, Math.cos));
    graph.weights('sin_cache', dims, () => rotaryTable(shape, Math.sin));
    graph.node('ReduceSum', ['attention_mask', graph.ints(1)], 'mask_sums', [intAttribute('keepdims', 0)]);
    graph.node('Sub', ['mask_sums', graph.scalar(1)], 'last_positions');
    graph.node('Cast', ['last_positions'], 'seqlens_k', [intAttribute('to', TYPE.int32)]);
    graph.node('Shape', ['attention_mask'], 'mask_shape');
    graph.node('Gather', ['mask_shape', graph.scalar(1)], 'mask_width', [intAttribute('axis', 0)]);
    graph.node('Cast', ['mask_width'], 'total_sequence_length', [intAttribute('to', TYPE.int32)]);
  }

  attend(layer: number, q: string, k: string, v: string): string {
    const [qRotated, kRotated] = [q, k].map((tensor) => {
      const inputs = [tensor, 'position_ids', 'cos_cache', 'sin_cache'];
      const attributes = [intAttribute('interleaved', 0)];
      return this.#graph.node('RotaryEmbedding', inputs, `${tensor}_rotated`, attributes, MICROSOFT);
    });
    const past = ['key', 'value'].map((part) => `past_key_values.${layer}.${part}`);
    const attended = `t${layer}_attended`;
    const { heads, kvHeads } = this.#shape.text;
    this.#graph.nodeWith(
      'GroupQueryAttention',
      [qRotated ?? q, kRotated ?? k, v, ...past, 'seqlens_k', 'total_sequence_length'],
      [attended, `present.${layer}.key`, `present.${layer}.value`],
      [intAttribute('num_heads', heads), intAttribute('kv_num_heads', kvHeads), intAttribute('do_rotary', 0)],
      MICROSOFT,
    );
    return attended;
  }
}

/** `[context, headDim / 2]` */
function rotaryTable({ contextLength, text }: ModelShape, of: (angle: number) => number): Float32Array {
  const half = text.headDim / 2;
  return Float32Array.from({ length: contextLength * half }, (_, index) =>
    of(Math.floor(index / half) / text.ropeTheta ** ((index % half) / half)),
  );
}
