/** Calls as each style writes them. */
import type { ToolStyle } from './tool-style.ts';

export interface ToolSyntax {
  /** @param given JSON of an object */
  call(name: string, given: string): string;
  /** What stands between two calls of one answer. */
  readonly separator: string;
  /** Several calls of one answer. */
  join(calls: readonly string[]): string;
}

const SYNTAXES: Readonly<Record<ToolStyle, ToolSyntax>> = {
  hermes: {
    call: (name, given) => `<tool_call>\n{"name": "${name}", "arguments": ${given}}\n</tool_call>`,
    separator: '\n',
    join: (calls) => calls.join('\n'),
  },
  mistral: {
    call: (name, given) => `{"name": "${name}", "arguments": ${given}}`,
    separator: '',
    join: (calls) => `[TOOL_CALLS][${calls.join(', ')}]`,
  },
  'mistral-args': {
    call: (name, given) => `[TOOL_CALLS]${name}[ARGS]${given}`,
    separator: '',
    join: (calls) => calls.join(''),
  },
  llama: {
    call: (name, given) => `{"name": "${name}", "parameters": ${given}}`,
    separator: '; ',
    join: (calls) => calls.join('; '),
  },
};

export function toolSyntax(style: ToolStyle): ToolSyntax {
  return SYNTAXES[style];
}
