/**
 * The chat template: how a conversation is written down for a model, as the model directory says it in Jinja.
 * Parsed once; rendered for each request.
 */
import { Template } from '@huggingface/jinja';
import { InputError, ModelError } from '../errors.ts';
import type { ModelDirectory } from './model-directory.ts';

/** A message as templates expect it; where an image belongs they write the model's image placeholder. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: readonly (
    | { readonly type: 'text'; readonly text: string }
    | { readonly type: 'image' }
  )[];
}

/** What we use of `@huggingface/jinja`, whose declarations do not resolve under Node's module rules. */
interface JinjaTemplate {
  render(variables: Readonly<Record<string, unknown>>): string;
}

export class ChatTemplate {
  readonly #template: JinjaTemplate;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly source: string;

  /** @throws ModelError MODEL_FILE_CORRUPT */
  constructor(directory: Pick<ModelDirectory, 'path' | 'chatTemplate' | 'tokenizerConfig'>) {
    this.source = directory.chatTemplate;
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
   * @param imageText what stands for an image in templates that take a message as one text; undefined: they take its parts
   * @throws InputError CHAT_TEMPLATE_REFUSED when the template raises (roles in an order it does not know, say).
   */
  render(messages: readonly TemplateMessage[], imageText?: string): string {
    try {
      const said = imageText === undefined ? messages : messages.map((one) => asText(one, imageText));
      return this.#template.render({ ...this.#variables, messages: said });
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

/** Each part on a line of its own. */
function asText({ role, content }: TemplateMessage, imageText: string) {
  const lines = content.map((part) => (part.type === 'text' ? part.text : imageText));
  return { role, content: lines.join('\n') };
}
