/** What a GGUF file says of its decoder and its tokens; keys: `docs/gguf.md` of ggml, `src/llama-arch.cpp` of llama.cpp. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { DecoderConfig, TextConfig } from './decoder-config.ts';
import type { GgufValue } from './gguf-types.ts';

type Metadata = Record<string, GgufValue>;

/** llama.cpp's name for a family's decoder. */
export const ARCHITECTURES = {
  idefics3: 'llama',
  qwen2_vl: 'qwen2vl',
  gemma3: 'gemma3',
} as const satisfies Record<DecoderConfig['modelType'], string>;

export function decoderMetadata({ modelType, text }: DecoderConfig): Metadata {
  const architecture = ARCHITECTURES[modelType];
  const values: Metadata = {
    context_length: { uint32: text.max_position_embeddings },
    embedding_length: { uint32: text.hidden_size },
    block_count: { uint32: text.num_hidden_layers },
    feed_forward_length: { uint32: text.intermediate_size },
    vocab_size: { uint32: text.vocab_size },
    'attention.head_count': { uint32: text.num_attention_heads },
    'attention.head_count_kv': { uint32: text.num_key_value_heads },
    'attention.key_length': { uint32: text.head_dim },
    'attention.value_length': { uint32: text.head_dim },
    'attention.layer_norm_rms_epsilon': { float32: text.rms_norm_eps },
    'rope.dimension_count': { uint32: text.head_dim },
    'rope.freq_base': { float32: text.rope_theta },
    ...slidingMetadata(text),
    ...sectionsMetadata(text),
  };
  const named = Object.entries(values).map(([key, value]) => [`${architecture}.${key}`, value] as const);
  return { 'general.architecture': architecture, ...Object.fromEntries(named) };
}

function slidingMetadata({ sliding_window, rope_local_base_freq, layer_types = [] }: TextConfig): Metadata {
  if (sliding_window === undefined) return {};
  const firstFull = layer_types.indexOf('full_attention');
  return {
    'attention.sliding_window': { uint32: sliding_window },
    // Of decoders too short to have a layer that sees everything, any period that is longer.
    'attention.sliding_window_pattern': { uint32: 1 + (firstFull < 0 ? layer_types.length : firstFull) },
    ...(rope_local_base_freq === undefined
      ? {}
      : { 'rope.freq_base_swa': { float32: rope_local_base_freq } }),
  };
}

function sectionsMetadata({ rope_scaling }: TextConfig): Metadata {
  if (rope_scaling === undefined) return {};
  // Time, height, width and a fourth that has none.
  return { 'rope.dimension_sections': { int32s: [...rope_scaling.mrope_section, 0] } };
}

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean() })),
  model: z.looseObject({
    vocab: z.record(z.string(), z.int()),
    merges: z.array(z.union([z.string(), z.array(z.string()).transform((pair) => pair.join(' '))])),
  }),
});

/** `llama_token_type` */
const KIND = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

/**
 * The tokens, so that llama.cpp can write out what it generates, and read prompts that come as text.
 * @param renamed added tokens that go by another name there
 */
export async function tokenMetadata(
  tokenizerPath: string,
  { text, bos, eos }: DecoderConfig,
  renamed: Readonly<Record<string, string>> = {},
): Promise<Metadata> {
  const { added_tokens, model } = tokenizerSchema.parse(JSON.parse(await readFile(tokenizerPath, 'utf8')));
  const tokens = Array.from({ length: text.vocab_size }, (_, id) => `<unused-${id}>`);
  const kinds = tokens.map((): number => KIND.unused);
  for (const [token, id] of Object.entries(model.vocab)) {
    tokens[id] = token;
    kinds[id] = KIND.normal;
  }
  for (const { id, content, special } of added_tokens) {
    tokens[id] = renamed[content] ?? content;
    kinds[id] = special ? KIND.control : KIND.userDefined;
  }
  return {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': { strings: tokens },
    'tokenizer.ggml.token_type': { int32s: kinds },
    'tokenizer.ggml.merges': { strings: model.merges },
    'tokenizer.ggml.eos_token_id': { uint32: eos },
    ...(bos === undefined ? {} : { 'tokenizer.ggml.bos_token_id': { uint32: bos } }),
    'tokenizer.ggml.add_bos_token': false,
  };
}
