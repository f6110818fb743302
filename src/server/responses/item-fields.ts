/**
 * Every field of the items of a Responses request and of their parts, and what becomes of it. Clients send the items of an
 * earlier answer back as they came, with ids, states and what their helpers have added.
 */
import { accepted, type FieldRules, honoured, oneOf, refused } from '../openai/field-rule.ts';

const A_NAME = 'a name that the client keeps';
const OF_THE_ANSWER = 'told about an earlier answer, not a part of it';
const CACHED_BY_CONTENT = 'prompts are cached by their content alone';
const NO_FILES = 'no files are kept';

const BREAKPOINT: FieldRules = { prompt_cache_breakpoint: accepted(CACHED_BY_CONTENT) };

/** Beside its type, of every item. */
const OF_AN_ITEM: FieldRules = {
  id: accepted(A_NAME),
  status: accepted(OF_THE_ANSWER),
  created_by: accepted(OF_THE_ANSWER),
  providerData: accepted(A_NAME),
};

export const MESSAGE_ITEM_FIELDS: FieldRules = {
  type: honoured('message, or left out'),
  role: honoured('system, developer (the same), user, assistant'),
  content: honoured('text, or a list of parts'),
  phase: accepted(OF_THE_ANSWER),
  ...OF_AN_ITEM,
};

export const CALL_ITEM_FIELDS: FieldRules = {
  type: honoured('function_call'),
  call_id: honoured('which call it is'),
  name: honoured('of the function'),
  arguments: honoured('JSON, as text'),
  parsed_arguments: accepted(OF_THE_ANSWER),
  caller: accepted(OF_THE_ANSWER),
  async: oneOf(false),
  namespace: refused('functions have no namespaces'),
  ...OF_AN_ITEM,
};

export const CALL_OUTPUT_FIELDS: FieldRules = {
  type: honoured('function_call_output'),
  call_id: honoured('which call it answers'),
  output: honoured('text, or a list of input_text parts'),
  name: accepted('the call has it'),
  caller: accepted(OF_THE_ANSWER),
  namespace: refused('functions have no namespaces'),
  ...OF_AN_ITEM,
};

export const INPUT_TEXT_FIELDS: FieldRules = {
  type: honoured('input_text'),
  text: honoured('what is said; may be empty'),
  ...BREAKPOINT,
};

export const OUTPUT_TEXT_FIELDS: FieldRules = {
  type: honoured('output_text, in messages of the assistant'),
  text: honoured('what was said'),
  annotations: accepted(OF_THE_ANSWER),
  logprobs: accepted(OF_THE_ANSWER),
  parsed: accepted(OF_THE_ANSWER),
  providerData: accepted(A_NAME),
};

export const INPUT_IMAGE_FIELDS: FieldRules = {
  type: honoured('input_image, in user messages'),
  image_url: honoured('https:, data: and, where allowed, http: or file:'),
  detail: oneOf('auto', 'low', 'high', 'original'),
  file_id: refused(NO_FILES),
  ...BREAKPOINT,
};

export const INPUT_FILE_FIELDS: FieldRules = {
  type: honoured('input_file, in user messages'),
  file_data: honoured('a data: URL of type image/…'),
  filename: accepted('the bytes say what it is'),
  detail: oneOf('auto', 'low', 'high'),
  file_id: refused(NO_FILES),
  file_url: refused('pictures on the web are input_image'),
  ...BREAKPOINT,
};

export const FUNCTION_TOOL_FIELDS: FieldRules = {
  type: honoured('function'),
  name: honoured('of the function'),
  description: honoured('shown to the model'),
  parameters: honoured('a JSON schema'),
  strict: honoured('as in chat completions'),
  allowed_callers: accepted('only the model calls'),
  output_schema: accepted('it describes what the client answers'),
  async: oneOf(false),
  defer_loading: oneOf(false),
};
