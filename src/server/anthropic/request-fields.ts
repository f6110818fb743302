/** Every field of a request to Anthropic's Messages API, and what becomes of it. docs/server.md shows these tables. */
import {
  accepted,
  emptyList,
  emptyObject,
  type FieldRules,
  honoured,
  isJsonObject,
  oneOf,
  only,
  refused,
} from '../openai/field-rule.ts';

const CACHED_BY_CONTENT = 'prompts are cached by their content alone';
const NO_TOOLS_RUN = 'no tools run here';

const thinksNot = only('{"type":"disabled"}', (value) => isJsonObject(value) && value.type === 'disabled');

/** Those that make the prompt: of a count of its tokens, too. */
const OF_THE_PROMPT: FieldRules = {
  model: honoured('the name of a model that is served; left out, the first'),
  messages: honoured('roles user and assistant; blocks text, image, tool_use, tool_result'),
  system: honoured('text, or a list of text blocks'),
  tools: honoured('tools of yours; those that Anthropic runs are refused'),
  tool_choice: honoured('auto, any, tool or none; disable_parallel_tool_use'),
  output_config: honoured('format: json_schema; effort only as "high"'),
  thinking: thinksNot,
  speed: oneOf('standard'),
  cache_control: accepted(CACHED_BY_CONTENT),
  user_profile_id: accepted('a name that the client keeps'),
  workspace_id: accepted('a name that the client keeps'),
  context_management: emptyObject,
  mcp_servers: emptyList,
};

export const MESSAGES_FIELDS: FieldRules = {
  ...OF_THE_PROMPT,
  max_tokens: honoured('most tokens to generate; it has to be there'),
  stream: honoured('true: server-sent events'),
  temperature: honoured('0 to 2; 0 is greedy. Default: the model’s'),
  top_p: honoured('0 to 1; 0 keeps the likeliest token alone'),
  top_k: honoured('0 keeps all'),
  stop_sequences: honoured('up to 16 strings'),
  metadata: honoured('user_id is written into the request log'),
  service_tier: accepted('all requests are served alike'),
  inference_geo: accepted('it is served where this server is'),
  diagnostics: accepted('it would be told beside the answer'),
  container: refused(NO_TOOLS_RUN),
};

export const COUNT_FIELDS: FieldRules = OF_THE_PROMPT;

export const MESSAGE_FIELDS: FieldRules = {
  role: honoured('user, assistant'),
  content: honoured('text, or a list of blocks'),
};

const CACHE: FieldRules = { cache_control: accepted(CACHED_BY_CONTENT) };

export const TEXT_BLOCK_FIELDS: FieldRules = {
  type: honoured('text'),
  text: honoured('what is said; may be empty'),
  citations: accepted('told about an earlier answer, not a part of it'),
  ...CACHE,
};

export const IMAGE_BLOCK_FIELDS: FieldRules = {
  type: honoured('image, in user messages'),
  source: honoured('of type base64 or url'),
  transformations: emptyList,
  ...CACHE,
};

export const TOOL_USE_FIELDS: FieldRules = {
  type: honoured('tool_use, in messages of the assistant'),
  id: honoured('which call it is'),
  name: honoured('of the tool'),
  input: honoured('an object'),
  caller: accepted('only the model calls'),
  toolset_name: refused(NO_TOOLS_RUN),
  ...CACHE,
};

export const TOOL_RESULT_FIELDS: FieldRules = {
  type: honoured('tool_result, in user messages'),
  tool_use_id: honoured('which call it answers'),
  content: honoured('text, or a list of text blocks'),
  is_error: honoured('true: the content is shown behind `Error: `'),
  toolset_name: refused(NO_TOOLS_RUN),
  ...CACHE,
};

export const TOOL_FIELDS: FieldRules = {
  type: honoured('custom, or left out'),
  name: honoured('of the tool'),
  description: honoured('shown to the model'),
  input_schema: honoured('a JSON schema'),
  strict: honoured('as in chat completions'),
  allowed_callers: accepted('only the model calls'),
  eager_input_streaming: accepted('input is always streamed as it comes'),
  defer_loading: oneOf(false),
  input_examples: emptyList,
  ...CACHE,
};
