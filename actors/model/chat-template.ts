/**
 * The chat template: how a conversation is written down for a model, as the model directory says it in Jinja.
 * Parsed once; rendered for each request.
 */
import { Template } from '@huggingface/jinja';
import { InputError, ModelError } from '../errors.ts';
import type { ToolDefinition } from '../tools/tool-types.ts';
import type { ModelDirectory } from './model-directory.ts';

export type TextOrImage = { readonly type: 'text'; readonly text: string } | { readonly type: 'image' };

/** A message as templates expect it; where an image belongs they write the model's image placeholder. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: readonly TextOrImage[];
  /** Of an assistant. */
  readonly toolCalls?: readonly TemplateCall[];
  /** Of a tool: whose result it is. */
  readonly resultOf?: Pick<TemplateCall, 'id' | 'name'>;
}

export interface TemplateCall {
  readonly id: string;
  readonly name: string;
  /** The value itself, as templates want it. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface RenderOptions {
  /** What stands for an image in templates that take a message as one text; undefined: they take its parts. */
  readonly imageText?: string | undefined;
  /** What the template is told of tools; absent for those that take none. */
  readonly tools?: readonly ToolDefinition[];
  /** Whether messages of tools and those with calls are given as parts; default: as one text. */
  readonly partsOfTools?: boolean;
}

/** What we use of `@huggingface/jinja`, whose declarations do not resolve under Node's module rules. */
interface JinjaTemplate {
  render(variables: Readonly<Record<string, unknown>>): string;
}

export class ChatTemplate {
  readonly #template: JinjaTemplate;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly source: string;
  /** Whether it may write the model's first token as such: by the variable that holds it, not as a part of its text. */
  readonly takesFirstToken: boolean;

  /** @throws ModelError MODEL_FILE_CORRUPT */
  constructor(directory: Pick<ModelDirectory, 'path' | 'chatTemplate' | 'tokenizerConfig'>) {
    this.source = directory.chatTemplate;
    this.takesFirstToken = /\bbos_token\b/.test(this.source);
    try {
      this.#template = new Template(this.source);
    } catch (cause) {
      const facts = { path: directory.path, remedy: 'Repair the template or download the model again.' };
      throw new ModelError('MODEL_FILE_CORRUPT', 'The chat template cannot be parsed', facts, cause);
    }
    const { bos_token, eos_token, pad_token, unk_token } = directory.tokenizerConfig;
    this.#variables = { bos_token, eos_token, pad_token, unk_token, add_generation_prompt: true };
  }

  /**
   * The conversation as one string that ends where the model's answer begins.
   *
   * @throws InputError CHAT_TEMPLATE_REFUSED when the template raises (roles in an order it does not know, say).
   */
  render(messages: readonly TemplateMessage[], options: RenderOptions = {}): string {
    const { tools = [] } = options;
    try {
      const said = messages.map((message) => asTemplatesTakeIt(message, options));
      const offered = tools.map((tool) => ({ type: 'function', function: tool }));
      const more = offered.length === 0 ? {} : { tools: offered };
      return this.#template.render({ ...this.#variables, ...more, messages: said });
    } catch (cause) {
      const roles = messages.map((message) => message.role).join(', ');
      const remedy = 'Use an order of roles and contents that the model was trained on.';
      const facts = { field: 'messages', value: roles, remedy };
      throw new InputError(
        'CHAT_TEMPLATE_REFUSED',
        'the chat template refused the conversation',
        facts,
        cause,
      );
    }
  }
}

function asTemplatesTakeIt(
  { role, content, toolCalls, resultOf }: TemplateMessage,
  { imageText, partsOfTools = false }: RenderOptions,
): object {
  const ofTools = toolCalls !== undefined || resultOf !== undefined;
  const asText = imageText !== undefined || (ofTools && !partsOfTools);
  const said = asText ? inLines(content, imageText ?? '') : content;
  if (resultOf !== undefined) return { role, content: said, tool_call_id: resultOf.id, name: resultOf.name };
  if (toolCalls === undefined) return { role, content: said };
  const calls = toolCalls.map(({ id, ...called }) => ({ id, type: 'function', function: called }));
  return { role, content: said, tool_calls: calls };
}

/** Each part on a line of its own. */
function inLines(content: readonly TextOrImage[], imageText: string): string {
  return content.map((part) => (part.type === 'text' ? part.text : imageText)).join('\n');
}
