/** Attention by ONNX Runtime's fused operator over the cache, fed as the project's own exports feed it. */
import { intAttribute, TYPE } from '../../test/fixtures/graphs/graph-builder.ts';
import type { Attention } from './decoder-layer.ts';
import { type GraphWriter, MICROSOFT } from './graph-writer.ts';
import { rotaryAngles } from './rotary-angles.ts';
import { attentionOf, type ModelShape } from './shape.ts';

/** What RotaryEmbedding is given beside the tensor: rows of the tables for each token, and the tables. */
type RotaryInputs = readonly [rows: string, cos: string, sin: string];

export class GroupQueryAttention implements Attention {
  readonly #graph: GraphWriter;
  readonly #shape: ModelShape;
  readonly #rotary: RotaryInputs;
  /** Of layers with a sliding window. */
  readonly #localRotary: RotaryInputs | undefined;

  constructor(graph: GraphWriter, shape: ModelShape) {
    this.#graph = graph;
    this.#shape = shape;
    const { text } = shape;
    this.#rotary = this.#tables(text.ropeTheta, '');
    this.#localRotary = text.sliding && this.#tables(text.sliding.ropeTheta, '_local');
    graph.node('ReduceSum', ['attention_mask', graph.ints(1)], 'mask_sums', [intAttribute('keepdims', 0)]);
    graph.node('Sub', ['mask_sums', graph.scalar(1)], 'last_positions');
    graph.node('Cast', ['last_positions'], 'seqlens_k', [intAttribute('to', TYPE.int32)]);
    graph.node('Shape', ['attention_mask'], 'mask_shape');
    graph.node('Gather', ['mask_shape', graph.scalar(1)], 'mask_width', [intAttribute('axis', 0)]);
    graph.node('Cast', ['mask_width'], 'total_sequence_length', [intAttribute('to', TYPE.int32)]);
  }

  attend(layer: number, q: string, k: string, v: string): string {
    const { window } = attentionOf(this.#shape.text, layer);
    const rotary = (window === undefined ? undefined : this.#localRotary) ?? this.#rotary;
    const [qRotated, kRotated] = [q, k].map((tensor) => {
      const inputs = [tensor, ...rotary];
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
      [
        intAttribute('num_heads', heads),
        intAttribute('kv_num_heads', kvHeads),
        intAttribute('do_rotary', 0),
        ...(window === undefined ? [] : [intAttribute('local_window_size', window)]),
      ],
      MICROSOFT,
    );
    return attended;
  }

  /** A row for each position there is; where positions have several axes, for each token of the run. */
  #tables(ropeTheta: number, suffix: string): RotaryInputs {
    const graph = this.#graph;
    const { contextLength, text } = this.#shape;
    const half = text.headDim / 2;
    if (text.sections === undefined) {
      const table = (name: string, of: (angle: number) => number): string =>
        graph.weights(`${name}_cache${suffix}`, [contextLength, half], () =>
          rotaryTable(contextLength, half, ropeTheta, of),
        );
      return ['position_ids', table('cos', Math.cos), table('sin', Math.sin)];
    }
    const angles = rotaryAngles(graph, text, ropeTheta, suffix);
    graph.node('Reshape', [angles, graph.ints(-1, half)], `angles_by_token${suffix}`);
    const [cos, sin] = ['Cos', 'Sin'].map((op) =>
      graph.node(op, [`angles_by_token${suffix}`], `${op}_by_token${suffix}`),
    );
    const shape = graph.node('Shape', [angles], `angles_shape${suffix}`);
    const bounds = [graph.ints(0), graph.ints(2)];
    const tokens = graph.node('Slice', [shape, ...bounds], `tokens_shape${suffix}`);
    const count = graph.node('ReduceProd', [tokens], `tokens${suffix}`, [intAttribute('keepdims', 0)]);
    graph.node('Range', [graph.scalar(0), count, graph.scalar(1)], `token_numbers${suffix}`);
    const rows = graph.node('Reshape', [`token_numbers${suffix}`, tokens], `table_rows${suffix}`);
    return [rows, cos ?? '', sin ?? ''];
  }
}

/** `[context, half]` */
function rotaryTable(
  contextLength: number,
  half: number,
  ropeTheta: number,
  of: (angle: number) => number,
): Float32Array {
  return Float32Array.from({ length: contextLength * half }, (_, index) =>
    of(Math.floor(index / half) / ropeTheta ** ((index % half) / half)),
  );
}
