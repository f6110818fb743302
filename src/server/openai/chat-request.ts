/** A chat completion request, checked and put into the terms of the engine. */
import type { SamplingOptions } from '../../../actors/generation.ts';
import { resolveSampling } from '../../../actors/processor/resolve-sampling.ts';
import { validateMessages } from '../../../actors/processor/validate-messages.ts';
import { validateTools } from '../../../actors/tools/validate-tools.ts';
import { isHubName } from '../../hub/model-name.ts';
import type { RequestFacts, ServedChat } from '../endpoint/served-chat.ts';
import { ApiError, badRequest } from './api-error.ts';
import { parseConstraint } from './constraint-fields.ts';
import { SAMPLING_NAMES } from './field-names.ts';
import { isGiven, isJsonObject, type JsonObject, objection, oneOf, shortened } from './field-rule.ts';
import { parseMessages } from './messages.ts';
import { checkedFields } from './request-fields.ts';
import { toApiError } from './to-api-error.ts';
import { parseTools } from './tool-fields.ts';

/** What the answer to a chat completion is shaped by. */
export interface ChatDetails {
  /** Whether a last chunk has the usage. */
  readonly includeUsage: boolean;
}

/** A share that the likeliest token reaches by itself, whatever the others weigh. */
const LIKELIEST_ALONE = Number.MIN_VALUE;

const LONGEST_STOP = 1024;
const LONGEST_USER = 512;

/** Those of OpenAI and of vLLM that add something to each chunk. */
const NEUTRAL_STREAM_OPTIONS = new Set(['include_obfuscation', 'continuous_usage_stats']);

/** @throws ApiError 400 or 404 naming the field; InputError */
export function parseChatRequest(
  body: unknown,
  { modelNames, allowPull, maxImages }: RequestFacts,
): ServedChat<ChatDetails> {
  const fields = checkedFields(body);
  const model = modelOf(fields.model, modelNames, allowPull);
  const stream = flag(fields.stream, 'stream');
  const { messages, clientFields } = parseMessages(fields.messages);
  const sampling = parseSampling(fields);
  const tools = parseTools(fields, clientFields);
  const constraint = parseConstraint(fields, clientFields);
  // They are the engine's to check; here they are checked before anything is queued.
  const images = inTheirWords(clientFields, () => {
    resolveSampling(sampling, {}, 1);
    validateTools(tools);
    return validateMessages(messages, { maxImages }).length;
  });
  return {
    chat: { messages, ...sampling, ...tools, ...(constraint === undefined ? {} : { constraint }) },
    model,
    images,
    clientFields,
    stream,
    user: userOf(fields.safety_identifier, 'safety_identifier') ?? userOf(fields.user, 'user'),
    details: {
      includeUsage:
        parseStreamOptions(fields.stream_options, stream) || (asksForUsage(fields.usage) && stream),
    },
  };
}

/** Errors name fields as the client wrote them. */
function inTheirWords<T>(clientFields: ReadonlyMap<string, string>, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw toApiError(error, clientFields);
  }
}

const MOST_NAMES_SAID = 5;

function modelOf(model: unknown, names: readonly string[], allowPull: boolean): string {
  const [first = ''] = names;
  if (model === undefined) return first;
  if (typeof model !== 'string') throw badRequest('invalid_type', 'model', 'must be a string');
  if (names.includes(model) || (allowPull && isHubName(model))) return model;
  const more = names.length > MOST_NAMES_SAID ? '…' : '';
  const served = names.slice(0, MOST_NAMES_SAID).join(', ') + more;
  throw new ApiError(
    `The model ${JSON.stringify(model.slice(0, 128))} does not exist; ${served} ${names.length > 1 ? 'are' : 'is'} served.`,
    { status: 404, type: 'not_found_error', code: 'model_not_found', param: 'model' },
  );
}

function parseSampling(fields: JsonObject): SamplingOptions {
  const sampling: Record<string, unknown> = {};
  for (const [theirs, ours] of Object.entries(SAMPLING_NAMES)) {
    if (fields[theirs] !== undefined) sampling[ours] = fields[theirs];
  }
  if (sampling.topP === 0) sampling.topP = LIKELIEST_ALONE;
  if (sampling.topK === -1) sampling.topK = 0; // as other servers say it
  const maxTokens = tokenLimit(fields);
  if (maxTokens !== undefined) sampling.maxTokens = maxTokens;
  if (fields.seed !== undefined) sampling.seed = seedOf(fields.seed);
  if (fields.stop !== undefined) sampling.stop = stopsOf(fields.stop);
  return sampling; // of unchecked values: `resolveSampling` takes nothing for granted
}

function tokenLimit({ max_completion_tokens: newer, max_tokens: older }: JsonObject): unknown {
  if (newer === undefined || older === undefined || newer === older) return newer ?? older;
  throw badRequest('invalid_value', 'max_tokens', 'differs from max_completion_tokens; give one of them');
}

/** 64-bit seeds are common, though JSON's numbers keep 53 bits of them; the sampler's has 32. */
function seedOf(seed: unknown): number {
  if (typeof seed !== 'number' || !Number.isInteger(seed)) {
    throw badRequest('invalid_value', 'seed', 'must be a whole number');
  }
  return Number(BigInt.asUintN(32, BigInt(seed)));
}

function stopsOf(stop: unknown): unknown {
  const stops: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  const tooLong = stops.findIndex((one) => typeof one === 'string' && one.length > LONGEST_STOP);
  if (tooLong === -1) return stops;
  throw badRequest('invalid_value', `stop[${tooLong}]`, `has more than ${LONGEST_STOP} characters`);
}

function parseStreamOptions(options: unknown, stream: boolean): boolean {
  if (options === undefined) return false;
  if (!stream) throw badRequest('invalid_value', 'stream_options', 'needs stream to be true');
  if (!isJsonObject(options)) throw badRequest('invalid_type', 'stream_options', 'must be an object');
  for (const [name, value] of Object.entries(options)) {
    if (!isGiven(value) || name === 'include_usage') continue;
    const problem = NEUTRAL_STREAM_OPTIONS.has(name) ? objection(oneOf(false), value) : 'is not supported';
    if (problem === undefined) continue;
    throw badRequest('unsupported_parameter', `stream_options.${shortened(name)}`, problem);
  }
  return flag(options.include_usage, 'stream_options.include_usage');
}

/** As OpenRouter has it. A whole answer always has its usage. */
function asksForUsage(usage: unknown): boolean {
  if (usage === undefined) return false;
  if (!isJsonObject(usage)) throw badRequest('invalid_type', 'usage', 'must be an object');
  return flag(usage.include, 'usage.include');
}

function flag(value: unknown, name: string): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return value === true;
  throw badRequest('invalid_type', name, 'must be true or false');
}

function userOf(value: unknown, name: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && value.length <= LONGEST_USER)) return value;
  throw badRequest('invalid_value', name, `must be a string of at most ${LONGEST_USER} characters`);
}
