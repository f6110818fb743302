/** Tools of a request in another API as those of a chat completion. */
import { badRequest } from '../openai/api-error.ts';
import { type FieldRules, isGiven, isJsonObject, type JsonObject, shortened } from '../openai/field-rule.ts';
import { checkFieldsOf } from '../openai/message-fields.ts';

/** How an API writes a tool of the caller's own. */
export interface OwnToolForm {
  /** What such tools are called there, many of them. */
  readonly called: string;
  readonly fields: FieldRules;
  isOwn(type: unknown): boolean;
  /** Its `name`, `description`, `parameters` and `strict`, as far as they are given. @param path of the tool */
  describe(tool: JsonObject, path: string): JsonObject;
}

/**
 * @param paths where a part of the chat completion stands in the caller's request; told of each tool
 * @throws ApiError 400 naming the field
 */
export function ownTools(tools: unknown, paths: Map<string, string>, form: OwnToolForm): unknown {
  if (!Array.isArray(tools)) throw badRequest('invalid_type', 'tools', 'must be a list');
  const list: readonly unknown[] = tools;
  return list.map((tool, index) => {
    const path = `tools[${index}]`;
    if (!isJsonObject(tool)) throw badRequest('invalid_value', path, 'is no tool');
    if (!form.isOwn(tool.type)) {
      const name = typeof tool.type === 'string' ? shortened(tool.type) : 'this kind of tool';
      throw badRequest(
        'unsupported_value',
        `${path}.type`,
        `${name} is not supported: only ${form.called} of yours are, for no tools run here`,
      );
    }
    checkFieldsOf(tool, form.fields, path);
    paths.set(`${path}.function`, path);
    const given = Object.entries(form.describe(tool, path)).filter(([, value]) => isGiven(value));
    return { type: 'function', function: Object.fromEntries(given) };
  });
}
