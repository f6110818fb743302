/**
 * The decoder's numbers, which every family reads in the same way: from the configuration, checked against the graphs,
 * and from the graphs where the configuration leaves them to an architecture's defaults, as real LLaVA files do.
 */
import { ModelError } from '../errors.ts';
import type { ModelGeometry } from '../model/geometry.ts';
import type { TensorSignature } from '../model/onnx/graph-signature.ts';
import type { ModelSource } from './model-source.ts';
import type { TextConfig } from './text-config.ts';

type DecoderNumbers = Pick<
  ModelGeometry,
  'layers' | 'heads' | 'kvHeads' | 'headDim' | 'hiddenSize' | 'vocabSize' | 'contextLength' | 'contextReason'
>;

export interface DecoderFacts {
  readonly text: TextConfig;
  /** Of the architecture, for configurations that leave them out and graphs that leave them open. */
  readonly defaults?: Partial<
    Pick<DecoderNumbers, 'heads' | 'kvHeads' | 'headDim' | 'vocabSize' | 'contextLength'>
  >;
  /** Tokens of some layer's sliding window. Absent: there is none. */
  readonly span?: number | undefined;
  /** Tokens of the chunks, from the first token on, that some layer does not see beyond. Absent: there are none. */
  readonly chunk?: number | undefined;
}

/** @throws ModelError MODEL_UNSUPPORTED when configuration and graphs contradict each other, or neither says a number */
export function decoderNumbers(
  source: ModelSource,
  { text, defaults = {}, ...spans }: DecoderFacts,
): DecoderNumbers {
  const { path, graphs } = source;
  const { signature } = graphs.decoder;
  const keys = signature.inputs.filter(({ name }) => /^past_key_values\.\d+\.key$/.test(name));
  const layers = text.num_hidden_layers ?? keys.length;
  if (keys.length !== layers || layers === 0) {
    throw unsupported(path, `The decoder has a cache of ${keys.length} layers, config.json says ${layers}`);
  }
  const [first] = keys;
  const heads = text.num_attention_heads ?? defaults.heads;
  const kvHeads = text.num_key_value_heads ?? text.num_attention_heads ?? fixed(first, 1) ?? defaults.kvHeads;
  const perHead = text.hidden_size != null && heads !== undefined ? text.hidden_size / heads : undefined;
  const headDim = text.head_dim ?? perHead ?? fixed(first, 3) ?? defaults.headDim;
  const said = {
    path,
    kvHeads: need(path, kvHeads, 'num_key_value_heads'),
    headDim: need(path, headDim, 'head_dim'),
  };
  for (const key of keys) checkCache(key, said);
  const hiddenSize = widthOfEmbeddings(source, text.hidden_size);
  const logits = signature.outputs.find(({ name }) => name === 'logits');
  const vocabSize = text.vocab_size ?? fixed(logits, -1) ?? defaults.vocabSize;
  const contextLength = text.max_position_embeddings ?? defaults.contextLength;
  return {
    layers,
    heads: heads ?? said.kvHeads,
    kvHeads: said.kvHeads,
    headDim: said.headDim,
    hiddenSize,
    vocabSize: need(path, vocabSize, 'vocab_size'),
    ...seenBy(source, need(path, contextLength, 'max_position_embeddings'), spans),
  };
}

/**
 * What a graph can be trusted with. Its mask of windows or chunks must go by a token's true position: the cache has free
 * places between tokens. Graphs that count the tokens of `attention_mask` (CumSum) do; GroupQueryAttention is handed each
 * row without gaps, and knows windows, not chunks. Others are right only as long as no window or chunk is full.
 */
function seenBy(
  { graphs }: ModelSource,
  contextLength: number,
  { span, chunk }: Pick<DecoderFacts, 'span' | 'chunk'>,
): Pick<DecoderNumbers, 'contextLength' | 'contextReason'> {
  const { opTypes } = graphs.decoder.signature;
  const counts = opTypes.includes('CumSum');
  const groups = opTypes.some((op) => op.endsWith('GroupQueryAttention'));
  const kinds = [
    { kind: 'a sliding window', tokens: counts || groups ? undefined : span },
    { kind: 'chunks', tokens: counts ? undefined : chunk },
  ];
  const limits = kinds.flatMap(({ kind, tokens }) => (tokens === undefined ? [] : [{ kind, tokens }]));
  const [limit] = limits.toSorted((a, b) => a.tokens - b.tokens);
  if (limit === undefined || limit.tokens >= contextLength) return { contextLength };
  const contextReason = `the decoder graph does not place ${limit.kind} of ${limit.tokens} tokens by true position, and is right only as far as one reaches`;
  return { contextLength: limit.tokens, contextReason };
}

function checkCache(
  { name, dims }: TensorSignature,
  { path, kvHeads, headDim }: { readonly path: string; readonly kvHeads: number; readonly headDim: number },
): void {
  const [, heads, , width] = dims;
  const differs = (dim: number | string | undefined, expected: number): boolean =>
    typeof dim === 'number' && dim !== expected;
  if (dims.length === 4 && !differs(heads, kvHeads) && !differs(width, headDim)) return;
  const expected = `[batch, ${kvHeads}, past, ${headDim}]`;
  throw unsupported(path, `${name} is [${dims.join(', ')}], config.json says ${expected}`);
}

/** Width of embeddings, by the configuration, checked against what the graphs hand each other. */
function widthOfEmbeddings({ path, graphs }: ModelSource, said: number | null | undefined): number {
  const handedOver = [
    ...(graphs.embed?.signature.outputs.slice(0, 1) ?? []),
    ...graphs.decoder.signature.inputs.filter(({ name }) => name === 'inputs_embeds'),
    ...(graphs.vision?.signature.outputs.filter(({ name }) => name === 'image_features') ?? []),
  ];
  let width = said ?? undefined;
  for (const tensor of handedOver) {
    const made = fixed(tensor, -1);
    if (made !== undefined && width !== undefined && made !== width) {
      const other = said == null ? 'another graph' : 'config.json';
      throw unsupported(path, `${tensor.name} is ${made} wide, ${other} says ${width}`);
    }
    width ??= made;
  }
  return need(path, width, 'hidden_size');
}

function need(path: string, value: number | undefined, field: string): number {
  if (value !== undefined) return value;
  throw unsupported(path, `config.json does not say ${field}, and the graphs leave it open`);
}

/** A dimension that the graph fixes. */
function fixed(tensor: TensorSignature | undefined, index: number): number | undefined {
  const dim = tensor?.dims.at(index);
  return typeof dim === 'number' && dim > 0 ? dim : undefined;
}

interface ImageTokenConfig {
  /** The older name of `image_token_id`. */
  readonly image_token_index?: number | null | undefined;
  readonly image_token_id?: number | null | undefined;
}

/**
 * The token whose embedding images replace.
 *
 * @param usual the architecture's, for configurations that leave it out
 * @throws ModelError MODEL_UNSUPPORTED when the vocabulary does not have it
 */
export function imageTokenOf(
  { path }: ModelSource,
  { vocabSize }: Pick<DecoderNumbers, 'vocabSize'>,
  { image_token_index, image_token_id }: ImageTokenConfig,
  usual: number,
): number {
  const id = image_token_index ?? image_token_id ?? usual;
  if (id < vocabSize) return id;
  throw unsupported(path, `The image token ${id} is not in the vocabulary, which has ${vocabSize}`);
}

/**
 * By id in the configurations, else by name in the tokenizer.
 *
 * @param names of tokens that end an answer beside `eos_token`; the family lists them in `tokens`
 * @throws ModelError MODEL_UNSUPPORTED when no token ends an answer
 */
export function eosTokenIds(
  { path, generationConfig, tokenIds, eosToken }: ModelSource,
  config: { readonly eos_token_id?: readonly number[] | null | undefined; readonly text_config?: TextConfig },
  names: readonly string[] = [],
): readonly number[] {
  const named = new Set([...names, ...(eosToken === null ? [] : [eosToken])].map((name) => tokenIds[name]));
  const candidates = [
    generationConfig.eos_token_id,
    config.eos_token_id,
    config.text_config?.eos_token_id,
    [...named].filter((id) => id !== undefined),
  ];
  const ids = candidates.find((some) => some != null && some.length > 0);
  if (ids != null) return ids;
  const files = 'No eos_token_id in generation_config.json or config.json';
  throw unsupported(path, `${files}, and no known eos_token in tokenizer_config.json: answers would not end`);
}

/** @throws ModelError MODEL_UNSUPPORTED when the vision graph takes square tiles of another size, in pixels */
export function checkTileSide(source: ModelSource, side: number): void {
  const taken = source.imageInput('pixel_values')?.dims.at(-1);
  if (typeof taken !== 'number' || taken === side) return;
  const problem = `The vision graph takes ${taken}-pixel tiles, the preprocessor makes ${side}-pixel ones`;
  throw unsupported(source.path, problem);
}

export function unsupported(path: string, problem: string): ModelError {
  const remedy = 'Use a consistent export of a supported model.';
  return new ModelError('MODEL_UNSUPPORTED', problem, { path, remedy });
}
