/** What the JSON files of a generated model hold beside its sizes, family by family. */
import type { ModelDirectory } from '../../../actors/model/model-directory.ts';
import type { DecoderShape, ModelShape } from '../shape.ts';
import type { PaddedTokenizer } from '../tokenizer.ts';

export interface FamilyFiles {
  /** Control tokens that the tokenizer has to have. */
  readonly controls: readonly string[];
  /** File name → contents, `tokenizer.json` left out. */
  files(shape: ModelShape, tokenizer: PaddedTokenizer, embedded: ModelDirectory): Record<string, unknown>;
}

/** The numbers of a decoder under the names that all configurations have for them. */
export function textNumbers({ text, vocabulary, contextLength }: ModelShape) {
  return {
    hidden_size: text.hidden,
    intermediate_size: text.mlp,
    num_hidden_layers: text.layers,
    num_attention_heads: text.heads,
    num_key_value_heads: text.kvHeads,
    head_dim: text.headDim,
    vocab_size: vocabulary,
    rope_theta: text.ropeTheta,
    rms_norm_eps: text.epsilon,
    max_position_embeddings: contextLength,
  };
}

/** `tokenizer_config.json` without its special tokens and the template. */
export function tokenizerSettings(processor: string, { contextLength }: ModelShape) {
  return {
    processor_class: processor,
    add_bos_token: false,
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    model_max_length: contextLength,
  };
}

/** Of every layer, as configurations list them. */
export function layerTypes({ layers, sliding }: DecoderShape): string[] {
  return Array.from({ length: layers }, (_, layer) =>
    sliding === undefined || (layer + 1) % sliding.period === 0 ? 'full_attention' : 'sliding_attention',
  );
}
