/** The tensors of a GGUF file, out of the graphs of a model directory. */
import type { DecoderConfig } from './decoder-config.ts';
import { type DecoderNames, namesOf, type Product } from './decoder-names.ts';
import { bytesOf, GGUF_TYPE, ggufRows, pairedRows } from './gguf-blocks.ts';
import type { GgufTensor } from './gguf-types.ts';
import type { OnnxWeights } from './onnx-weights.ts';

const TYPES = { float: GGUF_TYPE.f32, q4: GGUF_TYPE.q4_0, q8: GGUF_TYPE.q8_0 } as const;

const PARTS: readonly (readonly [part: Product, name: string])[] = [
  ['q', 'attn_q'],
  ['k', 'attn_k'],
  ['v', 'attn_v'],
  ['o', 'attn_output'],
  ['gate', 'ffn_gate'],
  ['up', 'ffn_up'],
  ['down', 'ffn_down'],
];

export class DecoderTensors {
  readonly #config: DecoderConfig;
  readonly #decoder: OnnxWeights;
  readonly #embedding: OnnxWeights;
  readonly #names: DecoderNames;

  constructor(config: DecoderConfig, decoder: OnnxWeights, embedding: OnnxWeights) {
    this.#config = config;
    this.#decoder = decoder;
    this.#embedding = embedding;
    this.#names = namesOf(decoder);
  }

  all(): GgufTensor[] {
    const { hidden_size: hidden, vocab_size: vocabulary, num_hidden_layers: layers } = this.#config.text;
    const embeddings = this.#embedding.find(...this.#names.embeddings) ?? '';
    return [
      floats('token_embd.weight', [hidden, vocabulary], () => this.#embedding.floats(embeddings)),
      ...Array.from({ length: layers }, (_, layer) => this.#layer(layer)).flat(),
      this.#vector('output_norm.weight', this.#names.lastNorm, hidden),
      this.#matrix('output.weight', this.#names.head, [hidden, vocabulary]),
    ];
  }

  #layer(layer: number): GgufTensor[] {
    const { hidden_size: hidden } = this.#config.text;
    const at = `blk.${layer}`;
    return [
      this.#vector(`${at}.attn_norm.weight`, this.#names.norm(layer, 1), hidden),
      this.#vector(`${at}.ffn_norm.weight`, this.#names.norm(layer, 2), hidden),
      ...PARTS.map(([part, name]) => this.#product(layer, part, `${at}.${name}.weight`)),
      ...this.#biases(layer, at),
      ...(this.#config.modelType === 'gemma3' ? this.#furtherNorms(at) : []),
    ];
  }

  #product(layer: number, part: Product, name: string): GgufTensor {
    const { hidden_size: hidden, intermediate_size: mlp, head_dim: headDim } = this.#config.text;
    const { num_attention_heads: heads, num_key_value_heads: kvHeads } = this.#config.text;
    const [queries, keys] = [heads * headDim, kvHeads * headDim];
    const sizes: Record<Product, readonly [inputs: number, outputs: number]> = {
      q: [hidden, queries],
      k: [hidden, keys],
      v: [hidden, keys],
      o: [queries, hidden],
      gate: [hidden, mlp],
      up: [hidden, mlp],
      down: [mlp, hidden],
    };
    const matrix = this.#matrix(name, this.#names.product(layer, part), sizes[part]);
    const pairs = this.#config.modelType === 'idefics3' && (part === 'q' || part === 'k');
    if (!pairs) return matrix;
    const count = part === 'q' ? heads : kvHeads;
    return { ...matrix, make: async () => pairedRows(await matrix.make(), count, headDim) };
  }

  #biases(layer: number, at: string): GgufTensor[] {
    const { head_dim: headDim, num_attention_heads: heads, num_key_value_heads: kvHeads } = this.#config.text;
    return (['q', 'k', 'v'] as const).flatMap((part) => {
      const name = this.#names.bias(layer, part);
      const width = headDim * (part === 'q' ? heads : kvHeads);
      return this.#decoder.find(name) === undefined
        ? []
        : [this.#vector(`${at}.attn_${part}.bias`, name, width)];
    });
  }

  /** Gemma 3's, of heads and behind attention and MLP, which multiply by 1 in a generated model. */
  #furtherNorms(at: string): GgufTensor[] {
    const { hidden_size: hidden, head_dim: headDim } = this.#config.text;
    return [
      this.#vector(`${at}.attn_q_norm.weight`, 'head_norm_scale', headDim),
      this.#vector(`${at}.attn_k_norm.weight`, 'head_norm_scale', headDim),
      this.#vector(`${at}.post_attention_norm.weight`, 'norm_scale', hidden),
      this.#vector(`${at}.post_ffw_norm.weight`, 'norm_scale', hidden),
    ];
  }

  #vector(name: string, from: string, width: number): GgufTensor {
    return floats(name, [width], () => this.#decoder.floats(from));
  }

  #matrix(name: string, from: string, dims: readonly [inputs: number, outputs: number]): GgufTensor {
    const type = TYPES[this.#decoder.kindOf(from)];
    return { name, dims, type, make: async () => ggufRows(await this.#decoder.matrix(from), ...dims) };
  }
}

function floats(name: string, dims: readonly number[], read: () => Promise<Float32Array>): GgufTensor {
  return { name, dims, type: GGUF_TYPE.f32, make: async () => bytesOf(await read()) };
}
