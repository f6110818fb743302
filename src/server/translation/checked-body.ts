/** The fields of a request body, each looked up in the table of its API. */
import { badRequest } from '../openai/api-error.ts';
import {
  type FieldRules,
  isGiven,
  isJsonObject,
  type JsonObject,
  objection,
  ruleOf,
  shortened,
} from '../openai/field-rule.ts';
import { FOREIGN_FIELDS } from '../openai/foreign-fields.ts';

/**
 * @param foreign fields of other servers, which are taken as long as they change nothing
 * @returns the fields that are there
 * @throws ApiError 400 naming the first field that is not taken
 */
export function checkedBody(
  body: unknown,
  rules: FieldRules,
  foreign: FieldRules = FOREIGN_FIELDS,
): JsonObject {
  if (!isJsonObject(body)) throw badRequest('invalid_body', 'body', 'is no JSON object');
  const given = Object.entries(body).filter(([, value]) => isGiven(value));
  for (const [name, value] of given) {
    const rule = ruleOf(rules, name);
    if (rule === undefined) checkForeign(name, value, foreign);
    else {
      const problem = objection(rule, value);
      const code = rule.kind === 'refused' ? 'unsupported_parameter' : 'unsupported_value';
      if (problem !== undefined) throw badRequest(code, name, problem);
    }
  }
  return Object.fromEntries(given);
}

function checkForeign(name: string, value: unknown, foreign: FieldRules): void {
  const rule = ruleOf(foreign, name);
  if (rule === undefined) throw badRequest('unknown_parameter', shortened(name), 'is no field of this API');
  const problem = objection(rule, value);
  if (problem !== undefined) {
    throw badRequest('unknown_parameter', name, `is no field of this API, and ${problem}`);
  }
}

/** The fields of an object with no null among them. */
export function given(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => isGiven(value)));
}
