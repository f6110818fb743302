/** One layer of the decoder: attention and a gated MLP, with the norms and biases of its shape. */
import { intAttribute } from '../../test/fixtures/graphs/graph-builder.ts';
import { floatAttribute, type GraphWriter, MICROSOFT } from './graph-writer.ts';
import { randomWeights } from './random-weights.ts';
import type { DecoderShape } from './shape.ts';

/** What a kind of attention adds to the graph. */
export interface Attention {
  /** From the projections of one layer to `[batch, length, heads × headDim]`, with `present.N.{key,value}` as outputs. */
  attend(layer: number, q: string, k: string, v: string): string;
}

/** Of the biases that a trained model has, a size that is seen. */
const BIAS_DEVIATION = 0.5;

export class DecoderLayers {
  readonly #graph: GraphWriter;
  readonly #text: DecoderShape;
  readonly #attention: Attention;

  constructor(graph: GraphWriter, text: DecoderShape, attention: Attention) {
    this.#graph = graph;
    this.#text = text;
    this.#attention = attention;
  }

  /** @param x `[batch, length, hidden]`, as what is returned */
  add(layer: number, x: string): string {
    const at = `t${layer}`;
    const attended = this.#attended(layer, rmsNorm(this.#graph, x, this.#text, `${at}_norm1`));
    const middle = this.#graph.node('Add', [x, this.#normBehind(attended, at, 'attention')], `${at}_middle`);
    const made = this.#mlp(at, rmsNorm(this.#graph, middle, this.#text, `${at}_norm2`));
    return this.#graph.node('Add', [middle, this.#normBehind(made, at, 'mlp')], `${at}_result`);
  }

  #attended(layer: number, x: string): string {
    const { hidden, heads, kvHeads, headDim } = this.#text;
    const at = `t${layer}`;
    const [q, k] = (
      [
        ['q', heads],
        ['k', kvHeads],
      ] as const
    ).map(([part, count]) => this.#normOfHeads(this.#projected(at, x, part, count), count));
    const v = this.#projected(at, x, 'v', kvHeads);
    const attended = this.#attention.attend(layer, q ?? '', k ?? '', v);
    return this.#linear(at, attended, 'o', heads * headDim, hidden);
  }

  #mlp(at: string, x: string): string {
    const { hidden, mlp, gate: kind } = this.#text;
    const graph = this.#graph;
    const gate = this.#linear(at, x, 'gate', hidden, mlp);
    let active = `${at}_active`;
    if (kind === 'gelu-tanh') graph.node('FastGelu', [gate], active, [], MICROSOFT);
    else {
      graph.node('Sigmoid', [gate], `${at}_sigmoid`);
      active = graph.node('Mul', [gate, `${at}_sigmoid`], `${at}_silu`);
    }
    graph.node('Mul', [active, this.#linear(at, x, 'up', hidden, mlp)], `${at}_gated`);
    return this.#linear(at, `${at}_gated`, 'down', mlp, hidden);
  }

  #projected(at: string, x: string, part: 'q' | 'k' | 'v', heads: number): string {
    const { hidden, headDim, biases } = this.#text;
    const width = heads * headDim;
    const product = this.#linear(at, x, part, hidden, width);
    if (!biases) return product;
    const name = `${at}_${part}_bias`;
    const bias = this.#graph.weights(name, [width], () => randomWeights(name, width, BIAS_DEVIATION));
    return this.#graph.node('Add', [product, bias], `${product}_biased`);
  }

  #normOfHeads(x: string, heads: number): string {
    const { headNorms, headDim } = this.#text;
    if (!headNorms) return x;
    const graph = this.#graph;
    graph.node('Reshape', [x, graph.ints(0, 0, heads, headDim)], `${x}_heads`);
    const normed = norm(graph, `${x}_heads`, this.#text, { width: headDim, out: `${x}_heads_normed` });
    return graph.node('Reshape', [normed, graph.ints(0, 0, heads * headDim)], `${x}_normed`);
  }

  #normBehind(x: string, at: string, part: string): string {
    return this.#text.norms === 'around' ? rmsNorm(this.#graph, x, this.#text, `${at}_${part}_normed`) : x;
  }

  #linear(at: string, from: string, part: string, inputs: number, outputs: number): string {
    const name = `${at}_${part}_weight`;
    const weights = () => randomWeights(name, inputs * outputs, 1 / Math.sqrt(inputs));
    return this.#graph.linear(from, name, { inputs, outputs, weights }, `${at}_${part}`);
  }
}

export function rmsNorm(graph: GraphWriter, x: string, text: DecoderShape, out: string): string {
  return norm(graph, x, text, { width: text.hidden, out });
}

function norm(
  graph: GraphWriter,
  x: string,
  { epsilon, hidden }: DecoderShape,
  { width, out }: { readonly width: number; readonly out: string },
): string {
  const name = width === hidden ? 'norm_scale' : 'head_norm_scale';
  const ones = graph.constant(name, [width], new Float32Array(width).fill(1));
  const attributes = [
    intAttribute('axis', -1),
    floatAttribute('epsilon', epsilon),
    intAttribute('stash_type', 1),
  ];
  return graph.node('SimplifiedLayerNormalization', [x, ones], out, attributes);
}
