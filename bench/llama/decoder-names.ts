/** How a decoder's graph calls its weights: those that `bench/generated-model` writes, and those of `models/export`. */
import type { OnnxWeights } from './onnx-weights.ts';

export type Product = 'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down';

export interface DecoderNames {
  product(layer: number, part: Product): string;
  bias(layer: number, part: 'q' | 'k' | 'v'): string;
  /** Before attention (1) and before the MLP (2). */
  norm(layer: number, which: 1 | 2): string;
  readonly lastNorm: string;
  readonly head: string;
  /** In the graph that embeds tokens, `[vocabulary, hidden]`. */
  readonly embeddings: readonly string[];
}

/** Its norms all multiply by 1, and share one tensor. */
const GENERATED: DecoderNames = {
  product: (layer, part) => `t${layer}_${part}_weight`,
  bias: (layer, part) => `t${layer}_${part}_bias`,
  norm: () => 'norm_scale',
  lastNorm: 'norm_scale',
  head: 'lm_head',
  embeddings: ['embeddings'],
};

const MODEL = 'model.text_model';
const BLOCK_OF: Record<Product, string> = {
  q: 'self_attn',
  k: 'self_attn',
  v: 'self_attn',
  o: 'self_attn',
  gate: 'mlp',
  up: 'mlp',
  down: 'mlp',
};

const EXPORTED: DecoderNames = {
  product: (layer, part) => `${MODEL}.layers.${layer}.${BLOCK_OF[part]}.${part}_proj.weight`,
  bias: (layer, part) => `${MODEL}.layers.${layer}.self_attn.${part}_proj.bias`,
  norm: (layer, which) =>
    `${MODEL}.layers.${layer}.${which === 1 ? 'input_layernorm' : 'post_attention_layernorm'}.weight`,
  lastNorm: `${MODEL}.norm.weight`,
  head: 'lm_head.weight',
  embeddings: [`${MODEL}.embed_tokens.weight`, `${MODEL}.embed_tokens.weight_f16`],
};

/** @throws Error when the graph is named in neither way */
export function namesOf(weights: OnnxWeights): DecoderNames {
  for (const names of [GENERATED, EXPORTED]) {
    if (weights.find(names.norm(0, 1)) !== undefined) return names;
  }
  throw new Error('the decoder is neither a generated one nor one of models/export');
}
