/** What every family reads from the decoder's configuration and graph in the same way. */
import { ModelError } from '../errors.ts';
import type { ModelGeometry } from '../model/geometry.ts';
import type { GeometrySource } from './family.ts';

/**
 * Layers, heads and head width of the key/value cache, by the configuration, checked against the decoder's
 * inputs `past_key_values.N.key` of `[batch, heads, past, width]`.
 *
 * @throws ModelError MODEL_UNSUPPORTED
 */
export function cacheShape({
  path,
  config,
  graphs,
}: GeometrySource): Pick<ModelGeometry, 'layers' | 'kvHeads' | 'headDim'> {
  const text = config.text_config;
  const layers = text.num_hidden_layers;
  const kvHeads = text.num_key_value_heads ?? text.num_attention_heads;
  const headDim = text.head_dim ?? text.hidden_size / text.num_attention_heads;
  const keys = graphs.decoder.signature.inputs.filter(({ name }) => /^past_key_values\.\d+\.key$/.test(name));
  if (keys.length !== layers) {
    throw unsupported(path, `The decoder has a cache of ${keys.length} layers, config.json says ${layers}`);
  }
  for (const { name, dims } of keys) {
    const [, heads, , width] = dims;
    const differs = (dim: number | string | undefined, expected: number): boolean =>
      typeof dim === 'number' && dim !== expected;
    if (dims.length === 4 && !differs(heads, kvHeads) && !differs(width, headDim)) continue;
    const expected = `[batch, ${kvHeads}, past, ${headDim}]`;
    throw unsupported(path, `${name} is [${dims.join(', ')}], config.json says ${expected}`);
  }
  return { layers, kvHeads, headDim };
}

/**
 * Width of embeddings, by the configuration, checked against what the graphs hand each other.
 *
 * @throws ModelError MODEL_UNSUPPORTED
 */
export function hiddenSize({ path, config, graphs }: GeometrySource): number {
  const hidden = config.text_config.hidden_size;
  const handedOver = [
    ...(graphs.vision?.signature.outputs.filter(({ name }) => name === 'image_features') ?? []),
    ...(graphs.embed?.signature.outputs.slice(0, 1) ?? []),
    ...graphs.decoder.signature.inputs.filter(({ name }) => name === 'inputs_embeds'),
  ];
  for (const { name, dims } of handedOver) {
    const width = dims.at(-1);
    if (typeof width !== 'number' || width === hidden) continue;
    throw unsupported(path, `${name} is ${width} wide, config.json says ${hidden}`);
  }
  return hidden;
}

/** @throws ModelError MODEL_UNSUPPORTED when no token ends an answer */
export function eosTokenIds({ path, config, generationConfig }: GeometrySource): readonly number[] {
  const ids = generationConfig.eos_token_id ?? config.eos_token_id ?? config.text_config.eos_token_id ?? [];
  if (ids.length > 0) return ids;
  throw unsupported(path, 'No eos_token_id in generation_config.json or config.json: answers would not end');
}

export function unsupported(path: string, problem: string): ModelError {
  const remedy = 'Use a consistent export of a supported model.';
  return new ModelError('MODEL_UNSUPPORTED', problem, { path, remedy });
}
