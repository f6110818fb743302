/**
 * How a model writes calls of tools down. Models learn one way; which one shows in their chat template:
 *
 *     hermes         <tool_call>\n{"name": "f", "arguments": {…}}\n</tool_call>       Hermes, Qwen, SmolVLM and others
 *     mistral        [TOOL_CALLS][{"name": "f", "arguments": {…}}, …]                 Mistral up to tokenizer 7
 *     mistral-args   [TOOL_CALLS]f[ARGS]{…}                                           Mistral from tokenizer 11
 *     llama          {"name": "f", "parameters": {…}}; …   or   [f(a=1), …]           Llama 3.1 to 4
 */
export const TOOL_STYLES = ['hermes', 'mistral', 'mistral-args', 'llama'] as const;

/** One of `hermes`, `mistral`, `mistral-args` and `llama`; docs/tools.md shows each. */
export type ToolStyle = (typeof TOOL_STYLES)[number];

/** Whether a template looks at the tools of a conversation at all. */
export function readsTools(chatTemplate: string): boolean {
  return /\btools\b/.test(chatTemplate);
}

/** What the template teaches; `hermes` where it teaches nothing that is known here, for that is what we then teach. */
export function toolStyleOf(chatTemplate: string): ToolStyle {
  if (!readsTools(chatTemplate)) return 'hermes';
  if (chatTemplate.includes('[TOOL_CALLS]'))
    return chatTemplate.includes('[ARGS]') ? 'mistral-args' : 'mistral';
  if (chatTemplate.includes('<tool_call>')) return 'hermes';
  const llama = /<\|python_(start|tag)\|>/.test(chatTemplate) || /"parameters\\?": ?/.test(chatTemplate);
  return llama ? 'llama' : 'hermes';
}
