/**
 * Prompt templates as Dynamo's multimodal examples write them: `USER: <image>\n<prompt> ASSISTANT:`. For models without a
 * usable chat template. `\n`, as it comes from a command line, is a new line. The template is one exchange; a conversation is one after the other:
 *
 *     before <image> between <prompt> after
 *
 * `<image>`, with the text up to `<prompt>`, stands once for each turn with images, `<prompt>` for the turn's text. An
 * earlier answer follows what is after, with a space before it and, where the model has one, its end-of-sequence token
 * behind it. A system message stands before the first turn, with a space.
 */
import { InputError } from '../errors.ts';

const IMAGE = '<image>';
const PROMPT = '<prompt>';
const BOS = '<bos>';

/**
 * The same as a Jinja chat template.
 *
 * @param template with `<prompt>` once and, before it, `<image>` at most once
 * @param placeholder what the model's processor takes for an image
 * @throws InputError PROMPT_TEMPLATE_INVALID
 */
export function promptTemplateToJinja(template: string, placeholder: string): string {
  const [head = '', after, ...more] = template.replaceAll('\\n', '\n').split(PROMPT);
  if (after === undefined || more.length > 0 || after.includes(IMAGE) || head.split(IMAGE).length > 2) {
    throw new InputError('PROMPT_TEMPLATE_INVALID', 'is not a prompt template', {
      field: 'promptTemplate',
      value: template,
      remedy:
        'Write <prompt> once and <image> at most once before it: "USER: <image>\\n<prompt> ASSISTANT:".',
    });
  }
  const [before = '', between] = splitAtImage(head);
  const image = between === undefined ? '' : placeholder;
  return [
    '{%- for message in messages -%}',
    "{%- if message.role == 'assistant' -%}",
    `{{- ' ' -}}${TEXTS}{{- eos_token or '' -}}`,
    "{%- elif message.role == 'system' -%}",
    `${TEXTS}{{- ' ' -}}`,
    '{%- else -%}',
    said(before),
    "{%- for part in message.content if part.type == 'image' -%}",
    said(image),
    '{%- if loop.last -%}',
    said(between ?? ''),
    '{%- endif -%}',
    '{%- endfor -%}',
    TEXTS,
    said(after),
    '{%- endif -%}',
    '{%- endfor -%}',
  ].join('');
}

const TEXTS = "{%- for part in message.content if part.type == 'text' -%}{{- part.text -}}{%- endfor -%}";

function splitAtImage(head: string): [string, string | undefined] {
  const [before = '', between] = head.split(IMAGE);
  return [before, between];
}

/** A literal of the template; `<bos>` is the model's first token. */
function said(text: string): string {
  return text
    .split(BOS)
    .map((piece) => (piece === '' ? '' : `{{- ${JSON.stringify(piece)} -}}`))
    .join("{{- bos_token or '' -}}");
}
