/**
 * Attention in standard operators, as Optimum exports it: keys and values are concatenated to their past, heads are
 * repeated, a causal mask is computed from the shapes and joined with `attention_mask`. How far a token lies back, which sliding
 * windows go by, is counted in `attention_mask`.
 */
import { intAttribute, TYPE } from '../../test/fixtures/graphs/graph-builder.ts';
import type { Attention } from './decoder-layer.ts';
import { type GraphWriter, intsAttribute } from './graph-writer.ts';
import { rotaryAngles } from './rotary-angles.ts';
import { attentionOf, type DecoderShape, type ModelShape } from './shape.ts';

/** Stands for minus infinity, as in exports of float32 models. */
const LOWEST = -3.4028234663852886e38;
/** Ends the names of what belongs to layers with a sliding window. */
const LOCAL = '_local';

export class ConcatAttention implements Attention {
  readonly #graph: GraphWriter;
  readonly #text: DecoderShape;

  constructor(graph: GraphWriter, { text }: ModelShape) {
    this.#graph = graph;
    this.#text = text;
    this.#rotation(text.ropeTheta, '');
    this.#mask();
    if (text.sliding === undefined) return;
    this.#rotation(text.sliding.ropeTheta, LOCAL);
    this.#localMask(text.sliding.window);
  }

  attend(layer: number, q: string, k: string, v: string): string {
    const { heads, kvHeads, headDim } = this.#text;
    const graph = this.#graph;
    const at = `t${layer}`;
    const suffix = attentionOf(this.#text, layer).window === undefined ? '' : LOCAL;
    const query = this.#rotated(this.#split(q, heads), suffix);
    const key = this.#withPast(this.#rotated(this.#split(k, kvHeads), suffix), layer, 'key');
    const value = this.#withPast(this.#split(v, kvHeads), layer, 'value');
    const keys = graph.node('Transpose', [this.#repeated(key)], `${at}_keys_turned`, [
      intsAttribute('perm', [0, 1, 3, 2]),
    ]);
    graph.node('MatMul', [query, keys], `${at}_products`);
    const scale = graph.constant('attention_scale', [], [1 / Math.sqrt(headDim)]);
    graph.node('Mul', [`${at}_products`, scale], `${at}_scaled`);
    graph.node('Add', [`${at}_scaled`, `mask_bias${suffix}`], `${at}_masked`);
    graph.node('Softmax', [`${at}_masked`], `${at}_weights`, [intAttribute('axis', -1)]);
    graph.node('MatMul', [`${at}_weights`, this.#repeated(value)], `${at}_heads`);
    graph.node('Transpose', [`${at}_heads`], `${at}_heads_last`, [intsAttribute('perm', [0, 2, 1, 3])]);
    return graph.node('Reshape', [`${at}_heads_last`, graph.ints(0, 0, heads * headDim)], `${at}_attended`);
  }

  /** Cosines and sines of the positions, `[batch, 1, length, headDim]`. */
  #rotation(ropeTheta: number, suffix: string): void {
    const graph = this.#graph;
    const half = rotaryAngles(graph, this.#text, ropeTheta, suffix);
    graph.node('Concat', [half, half], `angles${suffix}`, [intAttribute('axis', -1)]);
    for (const op of ['Cos', 'Sin']) {
      const wave = graph.node(op, [`angles${suffix}`], `${op}_flat${suffix}`);
      graph.node('Unsqueeze', [wave, graph.ints(1)], `${op}${suffix}`);
    }
  }

  /** 0 where a query may look, the lowest number elsewhere: `[batch, 1, length, past + length]`. */
  #mask(): void {
    const graph = this.#graph;
    const dimension = (tensor: string, axis: number, out: string): string => {
      const shape = graph.node('Shape', [tensor], `${out}_shape`);
      return graph.node('Gather', [shape, graph.scalar(axis)], out, [intAttribute('axis', 0)]);
    };
    const past = dimension('past_key_values.0.key', 2, 'past_length');
    const total = graph.node('Add', [past, dimension('inputs_embeds', 1, 'length')], 'total_length');
    graph.node('Range', [graph.scalar(0), total, graph.scalar(1)], 'key_places');
    graph.node('Range', [past, total, graph.scalar(1)], 'query_places_flat');
    graph.node('Unsqueeze', ['query_places_flat', graph.ints(1)], 'query_places');
    graph.node('LessOrEqual', ['key_places', 'query_places'], 'causal');
    graph.node('Cast', ['attention_mask'], 'attended_to', [intAttribute('to', TYPE.bool)]);
    graph.node('Unsqueeze', ['attended_to', graph.ints(1, 2)], 'attended_to_wide');
    graph.node('And', ['causal', 'attended_to_wide'], 'visible');
    this.#bias('visible', '');
  }

  /** The same for layers that see the last `window` tokens, the query's own among them. */
  #localMask(window: number): void {
    const graph = this.#graph;
    const counted = graph.node('CumSum', ['attention_mask', graph.scalar(1)], 'true_positions');
    const start = graph.node('Unsqueeze', ['past_length', graph.ints(0)], 'first_new');
    const ends = [graph.ints(Number.MAX_SAFE_INTEGER), graph.ints(1)];
    const fresh = graph.node('Slice', [counted, start, ...ends], 'new_positions');
    graph.node('Unsqueeze', [fresh, graph.ints(1, 3)], 'query_positions');
    graph.node('Unsqueeze', [counted, graph.ints(1, 2)], 'key_positions');
    graph.node('Sub', ['query_positions', 'key_positions'], 'distances');
    graph.node('Less', ['distances', graph.scalar(window)], 'near');
    graph.node('And', ['visible', 'near'], 'visible_local');
    this.#bias('visible_local', LOCAL);
  }

  #bias(visible: string, suffix: string): void {
    const graph = this.#graph;
    const zero = graph.constant('zero', [], [0]);
    graph.node('Where', [visible, zero, graph.constant('lowest', [], [LOWEST])], `mask_bias${suffix}`);
  }

  /** `[batch, length, heads × headDim]` → `[batch, heads, length, headDim]` */
  #split(x: string, heads: number): string {
    const graph = this.#graph;
    graph.node('Reshape', [x, graph.ints(0, 0, heads, this.#text.headDim)], `${x}_split`);
    return graph.node('Transpose', [`${x}_split`], `${x}_by_head`, [intsAttribute('perm', [0, 2, 1, 3])]);
  }

  #rotated(x: string, suffix: string): string {
    const graph = this.#graph;
    const { headDim } = this.#text;
    const axis = graph.ints(3);
    graph.node('Slice', [x, graph.ints(0), graph.ints(headDim / 2), axis], `${x}_low`);
    graph.node('Slice', [x, graph.ints(headDim / 2), graph.ints(headDim), axis], `${x}_high`);
    graph.node('Neg', [`${x}_high`], `${x}_high_negative`);
    graph.node('Concat', [`${x}_high_negative`, `${x}_low`], `${x}_turned`, [intAttribute('axis', -1)]);
    graph.node('Mul', [x, `Cos${suffix}`], `${x}_cos`);
    graph.node('Mul', [`${x}_turned`, `Sin${suffix}`], `${x}_sin`);
    return graph.node('Add', [`${x}_cos`, `${x}_sin`], `${x}_rotated`);
  }

  #withPast(x: string, layer: number, part: 'key' | 'value'): string {
    const inputs = [`past_key_values.${layer}.${part}`, x];
    return this.#graph.node('Concat', inputs, `present.${layer}.${part}`, [intAttribute('axis', 2)]);
  }

  /** `[batch, kvHeads, total, headDim]` → `[batch, heads, total, headDim]` */
  #repeated(x: string): string {
    const graph = this.#graph;
    const { heads, kvHeads, headDim } = this.#text;
    graph.node('Unsqueeze', [x, graph.ints(2)], `${x}_group`);
    graph.node('Expand', [`${x}_group`, graph.ints(1, 1, heads / kvHeads, 1, 1)], `${x}_groups`);
    const total = graph.node('Unsqueeze', ['total_length', graph.ints(0)], `${x}_total`);
    const inputs = [graph.ints(0), graph.ints(heads), total, graph.ints(headDim)];
    const shape = graph.node('Concat', inputs, `${x}_repeated_shape`, [intAttribute('axis', 0)]);
    return graph.node('Reshape', [`${x}_groups`, shape], `${x}_repeated`);
  }
}
