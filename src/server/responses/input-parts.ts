/** The content of an item of a Responses request as that of a chat message. */
import { badRequest } from '../openai/api-error.ts';
import { isJsonObject } from '../openai/field-rule.ts';
import { checkFieldsOf } from '../openai/message-fields.ts';
import {
  INPUT_FILE_FIELDS,
  INPUT_IMAGE_FIELDS,
  INPUT_TEXT_FIELDS,
  OUTPUT_TEXT_FIELDS,
} from './item-fields.ts';

/** A place in both requests. */
export interface Place {
  readonly ours: string;
  readonly theirs: string;
}

/** @param paths is told where parts of the chat message were written */
export function contentOf(
  content: unknown,
  role: unknown,
  { ours, theirs }: Place,
  paths: Map<string, string>,
): unknown {
  if (!Array.isArray(content)) return content;
  const parts: readonly unknown[] = content;
  return parts.map((part, index) => {
    const place = { ours: `${ours}[${index}]`, theirs: `${theirs}[${index}]` };
    paths.set(place.ours, place.theirs);
    return partOf(part, role, place, paths);
  });
}

function partOf(part: unknown, role: unknown, { ours, theirs }: Place, paths: Map<string, string>): object {
  if (!isJsonObject(part)) throw badRequest('invalid_content', theirs, 'is no content part');
  switch (part.type) {
    case 'input_text':
      checkFieldsOf(part, INPUT_TEXT_FIELDS, theirs);
      return { type: 'text', text: part.text };
    case 'output_text':
      checkFieldsOf(part, OUTPUT_TEXT_FIELDS, theirs);
      if (role !== 'assistant') {
        throw badRequest(
          'invalid_content',
          `${theirs}.type`,
          'output_text belongs into messages of the assistant',
        );
      }
      return { type: 'text', text: part.text };
    case 'input_image':
      checkFieldsOf(part, INPUT_IMAGE_FIELDS, theirs);
      paths.set(`${ours}.image_url.url`, `${theirs}.image_url`);
      return { type: 'image_url', image_url: { url: part.image_url } };
    case 'input_file':
      checkFieldsOf(part, INPUT_FILE_FIELDS, theirs);
      paths.set(`${ours}.file`, theirs);
      return { type: 'file', file: { file_data: part.file_data } };
    default:
      throw badRequest(
        'invalid_content',
        `${theirs}.type`,
        'must be input_text, input_image or input_file, or output_text in messages of the assistant',
      );
  }
}
