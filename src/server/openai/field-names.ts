/** The names of request fields here and there: `maxTokens` of the programmatic API is `max_tokens` of OpenAI's. */

/** Sampling fields that are passed on as they are, checked by the processor. */
export const SAMPLING_NAMES = {
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  min_p: 'minP',
  repetition_penalty: 'repetitionPenalty',
  presence_penalty: 'presencePenalty',
  frequency_penalty: 'frequencyPenalty',
  n: 'n',
  logprobs: 'logprobs',
  top_logprobs: 'topLogprobs',
  logit_bias: 'logitBias',
} as const;

const BY_OUR_NAME: ReadonlyMap<string, string> = new Map([
  ...Object.entries(SAMPLING_NAMES).map(([theirs, ours]): [string, string] => [ours, theirs]),
  ['maxTokens', 'max_tokens'],
  ['toolChoice', 'tool_choice'],
  ['parallelToolCalls', 'parallel_tool_calls'],
]);

/**
 * Our path of a field as the client wrote it.
 * @param clientFields where the client wrote fields, by our paths
 */
export function fieldOfRequest(field: string, clientFields?: ReadonlyMap<string, string>): string {
  for (const end of endsOf(field)) {
    const path = field.slice(0, end);
    const theirs = clientFields?.get(path) ?? BY_OUR_NAME.get(path);
    if (theirs !== undefined) return theirs + field.slice(end);
  }
  return field;
}

/** Where a path could be cut: `a.b[0]#/c` is itself, below `a.b[0]`, `a.b` and `a`. The longest first. */
function endsOf(field: string): number[] {
  const inside = [...field.matchAll(/[.[#]/g)].map(({ index }) => index);
  return [...inside, field.length].toReversed();
}
