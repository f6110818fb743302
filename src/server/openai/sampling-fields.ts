/** The fields by which tokens are drawn: the same in chat completions and in text completions. */
import { type FieldRules, honoured } from './field-rule.ts';

export const SAMPLING_FIELDS: FieldRules = {
  temperature: honoured('0 to 2; 0 is greedy. Default: the model’s'),
  top_p: honoured('0 to 1; 0 keeps the likeliest token alone'),
  top_k: honoured('an extension: 0 or -1 keeps all'),
  min_p: honoured('an extension: 0 to 1'),
  repetition_penalty: honoured('an extension: from 1e-6 to 1e6, 1 is off'),
  presence_penalty: honoured('-2 to 2'),
  frequency_penalty: honoured('-2 to 2'),
};
