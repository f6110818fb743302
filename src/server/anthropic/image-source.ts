/** Where an image block has its picture: in the request, or on the web. */
import { badRequest } from '../openai/api-error.ts';
import { type FieldRules, honoured, isJsonObject } from '../openai/field-rule.ts';
import { checkFieldsOf } from '../openai/message-fields.ts';

export const BASE64_SOURCE_FIELDS: FieldRules = {
  type: honoured('base64'),
  data: honoured('the bytes of the picture, in base64'),
  media_type: honoured('image/…'),
};

export const URL_SOURCE_FIELDS: FieldRules = {
  type: honoured('url'),
  url: honoured('https: and, where allowed, http: or file:; data: too'),
};

export interface ImageUrl {
  readonly url: unknown;
  /** The field that a picture which cannot be had is told by. */
  readonly field: string;
}

/** @throws ApiError 400 naming the field */
export function imageUrl(source: unknown, path: string): ImageUrl {
  if (!isJsonObject(source))
    throw badRequest('invalid_content', path, 'must be an object with type base64 or url');
  switch (source.type) {
    case 'base64':
      checkFieldsOf(source, BASE64_SOURCE_FIELDS, path);
      return { url: dataUrl(source.data, source.media_type, path), field: `${path}.data` };
    case 'url':
      checkFieldsOf(source, URL_SOURCE_FIELDS, path);
      return { url: source.url, field: `${path}.url` };
    default:
      throw badRequest(
        'image_source_unsupported',
        `${path}.type`,
        'must be base64 or url; no files are kept',
      );
  }
}

function dataUrl(data: unknown, type: unknown, path: string): string {
  if (typeof type !== 'string' || !/^image\/[\w.+-]{1,64}$/i.test(type)) {
    throw badRequest(
      'image_source_unsupported',
      `${path}.media_type`,
      'must be the type of a picture: image/png, say',
    );
  }
  if (typeof data === 'string' && data !== '') return `data:${type};base64,${data}`;
  throw badRequest('invalid_content', `${path}.data`, 'must be the bytes of a picture, in base64');
}
