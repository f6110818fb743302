/**
 * A request's sampling options, checked one by one, with what it leaves open filled in from the model's
 * generation_config.json.
 */
import { randomInt } from 'node:crypto';
import { InputError } from '../errors.ts';
import type { ResolvedSampling, SamplingOptions } from '../generation.ts';
import type { GenerationConfig } from '../model/model-config.ts';
import { shownValue } from '../shown-value.ts';

const DEFAULT_MAX_TOKENS = 256;
const MAX_STOP_STRINGS = 16;
const SEEDS = 2 ** 32;
const LEAST_PENALTY = 1e-6;
const MOST_BIAS = 100;
const MOST_TOP_LOGPROBS = 20;
const MOST_CHOICES = 16;

interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer?: true;
  /** The lower end itself is not allowed. */
  readonly above?: true;
}

const RANGES = {
  maxTokens: { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true },
  temperature: { min: 0, max: 2 },
  topK: { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true },
  topP: { min: 0, max: 1, above: true },
  minP: { min: 0, max: 1 },
  // Scores are divided by it: with less than this they are no numbers any more.
  repetitionPenalty: { min: LEAST_PENALTY, max: 1 / LEAST_PENALTY },
  presencePenalty: { min: -2, max: 2 },
  frequencyPenalty: { min: -2, max: 2 },
  seed: { min: 0, max: SEEDS - 1, integer: true },
  topLogprobs: { min: 0, max: MOST_TOP_LOGPROBS, integer: true },
  n: { min: 1, max: MOST_CHOICES, integer: true },
} as const satisfies Partial<Record<keyof SamplingOptions, NumberRange>>;

/**
 * @param room tokens that the prompt leaves of the context, at least 1; `maxTokens` is cut to it
 * @param vocabSize tokens that the model knows. Default: not known, any id passes
 * @throws InputError INVALID_SAMPLING naming field, value and range
 */
export function resolveSampling(
  options: SamplingOptions,
  defaults: GenerationConfig,
  room: number,
  vocabSize = Number.POSITIVE_INFINITY,
): ResolvedSampling {
  const number = (field: keyof typeof RANGES): number | undefined => checkNumber(options, field);
  const modelTemperature = defaults.do_sample === true ? (defaults.temperature ?? 1) : 0;
  return {
    maxTokens: Math.min(number('maxTokens') ?? defaults.max_new_tokens ?? DEFAULT_MAX_TOKENS, room),
    temperature: number('temperature') ?? modelTemperature,
    topK: number('topK') ?? defaults.top_k ?? 0,
    topP: number('topP') ?? defaults.top_p ?? 1,
    minP: number('minP') ?? defaults.min_p ?? 0,
    repetitionPenalty: number('repetitionPenalty') ?? defaults.repetition_penalty ?? 1,
    presencePenalty: number('presencePenalty') ?? 0,
    frequencyPenalty: number('frequencyPenalty') ?? 0,
    seed: number('seed') ?? randomInt(SEEDS),
    stop: checkStop(options.stop),
    logitBias: checkBias(options.logitBias, vocabSize),
    ...checkLogprobs(options),
    n: number('n') ?? 1,
  };
}

/** The value as it came may be anything: requests arrive as JSON. */
function checkNumber(options: SamplingOptions, field: keyof typeof RANGES): number | undefined {
  const value: unknown = options[field];
  if (value === undefined) return undefined;
  const range: NumberRange = RANGES[field];
  const valid =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (range.above ? value > range.min : value >= range.min) &&
    value <= range.max &&
    (!range.integer || Number.isInteger(value));
  if (valid) return value;
  throw invalid(field, value, describeRange(range));
}

function checkStop(stop: unknown): readonly string[] {
  if (stop === undefined) return [];
  const remedy = `Give at most ${MAX_STOP_STRINGS} strings, none of them empty.`;
  if (!Array.isArray(stop) || stop.length > MAX_STOP_STRINGS) throw invalid('stop', stop, remedy);
  const list: readonly unknown[] = stop;
  return list.map((one, i) => {
    if (typeof one === 'string' && one !== '') return one;
    throw invalid(`stop[${i}]`, one, remedy);
  });
}

/** Read as entries: a key of an object is a text, whatever the type says. */
function checkBias(bias: unknown, vocabSize: number): Readonly<Record<number, number>> {
  if (bias === undefined) return {};
  const remedy = `Give an object of token ids, each with a number from -${MOST_BIAS} to ${MOST_BIAS}.`;
  if (typeof bias !== 'object' || bias === null || Array.isArray(bias))
    throw invalid('logitBias', bias, remedy);
  const checked: Record<number, number> = {};
  for (const [key, value] of Object.entries(bias)) {
    const id = Number(key);
    if (!Number.isSafeInteger(id) || id < 0 || String(id) !== key) throw invalid('logitBias', key, remedy);
    if (id >= vocabSize) {
      throw invalid('logitBias', id, `The model's tokens have ids from 0 to ${vocabSize - 1}.`);
    }
    if (typeof value !== 'number' || !(Math.abs(value) <= MOST_BIAS))
      throw invalid(`logitBias[${id}]`, value, remedy);
    checked[id] = value;
  }
  return checked;
}

function checkLogprobs(options: SamplingOptions): Pick<ResolvedSampling, 'logprobs' | 'topLogprobs'> {
  const logprobs: unknown = options.logprobs ?? false;
  const topLogprobs = checkNumber(options, 'topLogprobs') ?? 0;
  if (typeof logprobs !== 'boolean') throw invalid('logprobs', logprobs, 'Give true or false.');
  if (topLogprobs > 0 && !logprobs) {
    throw invalid('topLogprobs', topLogprobs, 'They come with logprobs: give logprobs: true as well.');
  }
  return { logprobs, topLogprobs };
}

function describeRange({ min, max, integer, above }: NumberRange): string {
  const kind = integer ? 'an integer' : 'a number';
  const lower = above ? `above ${min}` : `from ${min}`;
  const unbounded = max === Number.MAX_SAFE_INTEGER || max === Number.MAX_VALUE;
  return `Give ${kind} ${lower}${unbounded ? '' : ` to ${max}`}.`;
}

function invalid(field: string, value: unknown, remedy: string): InputError {
  return new InputError('INVALID_SAMPLING', 'is out of range', { field, value: shownValue(value), remedy });
}
