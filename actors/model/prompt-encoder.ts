/**
 * A conversation and its images to prompt tokens: render the chat template, write each image's tokens where the
 * template put its placeholder, cut at control tokens, encode the text between them. Token for token what the
 * reference does for text without control tokens in it; user text that spells one stays text.
 */
import { InputError, ModelError } from '../errors.ts';
import type { ToolStyle } from '../tools/tool-style.ts';
import type { ToolDefinition } from '../tools/tool-types.ts';
import { ChatTemplate, type RenderOptions, type TemplateMessage } from './chat-template.ts';
import { changeMessages, changeTools } from './covered-tools.ts';
import type { ModelDirectory } from './model-directory.ts';
import type { TextTokenizer } from './tokenizer.ts';
import { ToolPrompt } from './tool-prompt.ts';
import { UserTextShield } from './user-text-shield.ts';

/** What a conversation is told of tools. */
export interface PromptTools {
  readonly tools: readonly ToolDefinition[];
  readonly style: ToolStyle;
}

type PromptCompletion = (rendered: string, bosToken: string) => string;

export class PromptEncoder {
  readonly #tokenizer: TextTokenizer;
  readonly #template: ChatTemplate;
  readonly #shield: UserTextShield;
  readonly #placeholder: string;
  readonly #complete: PromptCompletion | undefined;
  readonly #options: RenderOptions;
  /** Found out with the first conversation that has tools. */
  #toolPrompt: ToolPrompt | undefined;
  readonly #bosToken: string | null;
  readonly #boundary: { readonly before: readonly number[]; readonly after: readonly number[] };

  /**
   * @param placeholder what the chat template writes for an image
   * @param inText whether a template that takes messages as texts is given it there
   * @param complete see `ImageFamily.completePrompt`
   * @throws ModelError MODEL_UNSUPPORTED when the template or the tokenizer does not know the placeholder
   */
  constructor(
    directory: ModelDirectory,
    tokenizer: TextTokenizer,
    placeholder: string,
    inText = false,
    complete?: PromptCompletion,
  ) {
    this.#tokenizer = tokenizer;
    this.#template = new ChatTemplate(directory);
    this.#shield = new UserTextShield(tokenizer.controlTokens.contents, this.#template.source);
    this.#placeholder = placeholder;
    this.#complete = complete;
    this.#bosToken = directory.tokenizerConfig.bos_token ?? null;
    this.#boundary = tokenizer.boundaryTokens();
    this.#checkToken(directory.path);
    this.#options = { imageText: this.#imageTextOf(directory.path, inText) };
  }

  /**
   * @param expansions for each image of the conversation, in order, the text that stands for it
   * @param offered absent of a conversation without tools and their calls
   * @returns token ids of the prompt
   * @throws InputError CHAT_TEMPLATE_REFUSED, IMAGE_COUNT_MISMATCH
   */
  encode(
    messages: readonly TemplateMessage[],
    expansions: readonly string[],
    offered?: PromptTools,
  ): number[] {
    const shielded = this.#shield.shield(textsOf(messages, offered?.tools));
    const cover = (text: string) => shielded.cover(text.toWellFormed());
    const rendered = this.#render(changeMessages(messages, cover), cover, offered);
    const prompt = this.#expand(this.#complete?.(rendered, this.#bosToken ?? '') ?? rendered, expansions);
    const ids = this.#tokenizer.controlTokens.split(prompt).flatMap((segment, i) => {
      if (segment.kind === 'control') return [segment.id];
      return this.#tokenizer.encodePlain(shielded.restore(segment.text), i === 0);
    });
    if (this.#complete !== undefined) return ids;
    // As in the reference: a template that writes `bos_token` gets none from the tokenizer. One that has the token's name in
    // its text makes a text like any other, before which the reference's processor puts the tokenizer's own.
    const isFirst = this.#bosToken !== null && prompt.startsWith(this.#bosToken);
    if (isFirst && this.#template.takesFirstToken) return ids;
    return [...this.#boundary.before, ...ids, ...this.#boundary.after];
  }

  /**
   * Tokens that the texts take at the very least, found without encoding them: a text of many megabytes is
   * refused at once instead of being encoded first.
   */
  leastTokens(messages: readonly TemplateMessage[], tools: readonly ToolDefinition[] = []): number {
    const characters = textsOf(messages, tools).reduce((sum, { length }) => sum + length, 0);
    return Math.floor(characters / this.#tokenizer.longestPiece);
  }

  #render(
    messages: readonly TemplateMessage[],
    cover: (text: string) => string,
    offered: PromptTools | undefined,
  ): string {
    if (offered === undefined) return this.#template.render(messages, this.#options);
    this.#toolPrompt ??= new ToolPrompt(this.#template, this.#options);
    return this.#toolPrompt.render(messages, changeTools(offered.tools, cover), offered.style);
  }

  #expand(rendered: string, expansions: readonly string[]): string {
    const [head = '', ...tails] = rendered.split(this.#placeholder);
    if (tails.length !== expansions.length) {
      throw new InputError('IMAGE_COUNT_MISMATCH', `the chat template placed ${tails.length} images`, {
        field: 'messages',
        value: expansions.length,
        remedy: 'Put images into user messages, where the model expects them.',
      });
    }
    return head + tails.map((tail, i) => (expansions[i] ?? '') + tail).join('');
  }

  #checkToken(path: string): void {
    if (this.#tokenizer.controlTokens.idOf(this.#placeholder) !== undefined) return;
    throw unsupported(`The tokenizer has no control token ${this.#placeholder}`, path);
  }

  /** A template for text alone would drop or garble images: found out at start, not in the first request. */
  #imageTextOf(path: string, inText: boolean): string | undefined {
    const failures: unknown[] = [];
    for (const imageText of inText ? [undefined, this.#placeholder] : [undefined]) {
      try {
        const rendered = this.#template.render([PROBE], { imageText });
        if (rendered.split(this.#placeholder).length === 2 && rendered.includes(PROBE_TEXT)) return imageText;
      } catch (cause) {
        failures.push(cause);
      }
    }
    const [cause] = failures;
    if (cause !== undefined) {
      throw unsupported('The chat template cannot render a message with an image', path, cause);
    }
    throw unsupported(`The chat template does not write ${this.#placeholder} for an image`, path);
  }
}

const PROBE_TEXT = 'probe';
const PROBE: TemplateMessage = {
  role: 'user',
  content: [{ type: 'image' }, { type: 'text', text: PROBE_TEXT }],
};

/** Every text that comes from outside. */
function textsOf(messages: readonly TemplateMessage[], tools: readonly ToolDefinition[] = []): string[] {
  const texts: string[] = [];
  const keep = (text: string) => {
    texts.push(text.toWellFormed());
    return text;
  };
  changeMessages(messages, keep);
  changeTools(tools, keep);
  return texts;
}

function unsupported(problem: string, path: string, cause?: unknown): ModelError {
  const remedy = 'Use the files of a vision-language model of a supported family.';
  return new ModelError('MODEL_UNSUPPORTED', problem, { path, remedy }, cause);
}
