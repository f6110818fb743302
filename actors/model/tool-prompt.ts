/** How a conversation with tools is written down for one model: by its chat template, or by ours where that knows of none. */

import { readsTools, type ToolStyle } from '../tools/tool-style.ts';
import type { ToolDefinition } from '../tools/tool-types.ts';
import type { ChatTemplate, RenderOptions, TemplateMessage } from './chat-template.ts';
import { withDefaultTools } from './default-tools.ts';

const TOOL = 'probe_tool';
const RESULT = 'probe result';
const SYSTEM = 'probe system';
/** Nine letters and digits, for templates that take no other. */
const CALL = { id: 'probe0000', name: TOOL, arguments: { probe_key: 1 } };

const text = (said: string) => [{ type: 'text', text: said }] as const;
const USER: TemplateMessage = { role: 'user', content: text('probe') };
const PROBE: readonly TemplateMessage[] = [
  USER,
  { role: 'assistant', content: text(''), toolCalls: [CALL] },
  { role: 'tool', content: text(RESULT), resultOf: CALL },
];

export class ToolPrompt {
  readonly #template: ChatTemplate;
  readonly #options: RenderOptions;
  /** How the template takes tools; undefined where it takes none. */
  readonly #own: RenderOptions | undefined;
  readonly #takesSystem: boolean;

  /** @param options with which the template takes messages without tools */
  constructor(template: ChatTemplate, options: RenderOptions) {
    this.#template = template;
    this.#options = options;
    this.#own = readsTools(template.source) ? this.#probeTools() : undefined;
    this.#takesSystem = this.#shows([{ role: 'system', content: text(SYSTEM) }, USER], {}, [SYSTEM]);
  }

  /** Whether the template itself says what tools there are. */
  get native(): boolean {
    return this.#own !== undefined;
  }

  /** @throws InputError CHAT_TEMPLATE_REFUSED */
  render(messages: readonly TemplateMessage[], tools: readonly ToolDefinition[], style: ToolStyle): string {
    if (this.#own === undefined) {
      const written = withDefaultTools(messages, tools, { style, takesSystem: this.#takesSystem });
      return this.#template.render(written, this.#options);
    }
    return this.#template.render(messages, { ...this.#options, ...this.#own, tools });
  }

  #probeTools(): RenderOptions | undefined {
    const parameters = { type: 'object', properties: { probe_key: { type: 'number' } }, required: [] };
    const tools = [{ name: TOOL, description: 'probe', parameters }];
    return [{}, { partsOfTools: true }].find(
      (options) =>
        this.#shows([USER], { ...options, tools }, [TOOL]) &&
        this.#shows(PROBE, { ...options, tools }, [TOOL, 'probe_key', RESULT]) &&
        this.#shows(PROBE, options, ['probe_key', RESULT]),
    );
  }

  #shows(messages: readonly TemplateMessage[], options: RenderOptions, texts: readonly string[]): boolean {
    try {
      const rendered = this.#template.render(messages, { ...this.#options, ...options });
      return texts.every((one) => rendered.includes(one)) && !rendered.includes('[object');
    } catch {
      return false; // a template says by an error what it does not take
    }
  }
}
