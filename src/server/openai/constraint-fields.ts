/**
 * What a chat completion request says about the form of its answer: OpenAI's `response_format`, and the fields by which
 * vLLM, SGLang and llama.cpp say the same and more. Whatever it is, the answer is held to it.
 */
import type { Constraint, JsonSchema } from '../../../actors/constraint/constraint.ts';
import { badRequest } from './api-error.ts';
import { isGiven, isJsonObject, type JsonObject, shortened } from './field-rule.ts';

interface FoundConstraint {
  /** What the client wrote it into. */
  readonly field: string;
  /** Our path of what it wrote there: `constraint.schema` */
  readonly ours: string;
  readonly constraint: Constraint;
}

/** Fields that hold one kind of constraint each. */
const KINDS = {
  json_schema: jsonSchema,
  guided_json: jsonSchema,
  guided_regex: regex,
  regex,
  guided_choice: choice,
  guided_grammar: grammar,
  grammar,
  ebnf: grammar,
} as const satisfies Readonly<Record<string, (value: unknown, field: string) => FoundConstraint>>;

/** Of vLLM's `structured_outputs`. */
const STRUCTURED = { json: jsonSchema, regex, choice, grammar } as const;

/** @throws ApiError 400 naming the field */
export function parseConstraint(
  fields: JsonObject,
  clientFields: Map<string, string>,
): Constraint | undefined {
  const found = [
    ...responseFormat(fields.response_format),
    ...structuredOutputs(fields.structured_outputs),
    ...Object.entries(KINDS).flatMap(([field, read]) => {
      const value = fields[field];
      return isGiven(value) && value !== '' ? [read(value, field)] : [];
    }),
  ];
  const [first, second] = found;
  if (second !== undefined && first !== undefined) {
    throw badRequest('invalid_value', second.field, `cannot be given beside ${first.field}`);
  }
  if (first === undefined) return undefined;
  clientFields.set(first.ours, first.field);
  clientFields.set('constraint', first.field);
  return first.constraint;
}

const FORMATS = 'must be text, json_object or json_schema';
const SCHEMA_NAME = /^[\w-]{1,64}$/;

function responseFormat(format: unknown): FoundConstraint[] {
  if (!isGiven(format)) return [];
  const field = 'response_format';
  if (!isJsonObject(format)) throw badRequest('invalid_type', field, 'must be an object');
  switch (format.type) {
    case 'text':
      knownFields(format, ['type'], field);
      return [];
    case 'json_object':
      // As llama.cpp has it.
      knownFields(format, ['type', 'schema'], field);
      if (isGiven(format.schema)) return [jsonSchema(format.schema, `${field}.schema`)];
      return [{ field, ours: 'constraint', constraint: { type: 'json_object' } }];
    case 'json_schema':
      knownFields(format, ['type', 'json_schema'], field);
      return [namedSchema(format.json_schema, `${field}.json_schema`)];
    default:
      throw badRequest('unsupported_value', `${field}.type`, FORMATS);
  }
}

function namedSchema(named: unknown, field: string): FoundConstraint {
  if (!isJsonObject(named)) throw badRequest('invalid_type', field, 'must be an object with a schema');
  knownFields(named, ['name', 'description', 'schema', 'strict'], field);
  const { name, strict, description, schema } = named;
  if (isGiven(name) && !(typeof name === 'string' && SCHEMA_NAME.test(name))) {
    throw badRequest('invalid_value', `${field}.name`, 'must be 1 to 64 letters, digits, _ and -');
  }
  if (isGiven(description) && typeof description !== 'string') {
    throw badRequest('invalid_type', `${field}.description`, 'must be a string');
  }
  if (isGiven(strict) && typeof strict !== 'boolean') {
    throw badRequest('invalid_type', `${field}.strict`, 'must be true or false');
  }
  return jsonSchema(schema, `${field}.schema`);
}

/** One of them, and nothing that says how it is to be done. */
function structuredOutputs(given: unknown): FoundConstraint[] {
  if (!isGiven(given)) return [];
  const path = 'structured_outputs';
  if (!isJsonObject(given)) throw badRequest('invalid_type', path, 'must be an object');
  knownFields(given, [...Object.keys(STRUCTURED), 'json_object'], path);
  const found: FoundConstraint[] = Object.entries(STRUCTURED).flatMap(([kind, read]) =>
    isGiven(given[kind]) ? [read(given[kind], `${path}.${kind}`)] : [],
  );
  if (given.json_object === true) {
    found.push({ field: `${path}.json_object`, ours: 'constraint', constraint: { type: 'json_object' } });
  }
  if (found.length === 1) return found;
  throw badRequest('invalid_value', path, 'must have one of json, regex, choice, grammar and json_object');
}

/** A schema, or, as some clients send it, its text. */
function jsonSchema(given: unknown, field: string): FoundConstraint {
  const schema = typeof given === 'string' ? parsed(given, field) : given;
  if (typeof schema !== 'boolean' && !isJsonObject(schema)) {
    throw badRequest('invalid_type', field, 'must be a JSON schema');
  }
  return found(field, 'schema', { type: 'json_schema', schema: schema satisfies JsonSchema });
}

function parsed(text: string, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('invalid_value', field, 'is no JSON');
  }
}

function regex(pattern: unknown, field: string): FoundConstraint {
  return found(field, 'pattern', { type: 'regex', pattern: textOf(pattern, field) });
}

function grammar(given: unknown, field: string): FoundConstraint {
  return found(field, 'grammar', { type: 'grammar', grammar: textOf(given, field) });
}

function choice(choices: unknown, field: string): FoundConstraint {
  const list: readonly unknown[] = Array.isArray(choices) ? choices : [];
  const texts = list.filter((one) => typeof one === 'string');
  if (texts.length === 0 || texts.length < list.length) {
    throw badRequest('invalid_type', field, 'must be a list of strings, at least one');
  }
  return found(field, 'choices', { type: 'choice', choices: texts });
}

function found(field: string, member: string, constraint: Constraint): FoundConstraint {
  return { field, ours: `constraint.${member}`, constraint };
}

function textOf(value: unknown, field: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw badRequest('invalid_type', field, 'must be a string, not an empty one');
}

function knownFields(record: JsonObject, names: readonly string[], path: string): void {
  const other = Object.entries(record).find(([name, value]) => isGiven(value) && !names.includes(name));
  if (other === undefined) return;
  throw badRequest('unsupported_parameter', `${path}.${shortened(other[0])}`, 'is not supported');
}
