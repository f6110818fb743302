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
} as const;

const BY_OUR_NAME: ReadonlyMap<string, string> = new Map([
  ...Object.entries(SAMPLING_NAMES).map(([theirs, ours]): [string, string] => [ours, theirs]),
  ['maxTokens', 'max_tokens'],
]);

/**
 * Our path of a field as the client wrote it.
 * @param imageFields the fields that the images were in, by our paths
 */
export function fieldOfRequest(field: string, imageFields?: ReadonlyMap<string, string>): string {
  return imageFields?.get(field) ?? BY_OUR_NAME.get(field) ?? field;
}
