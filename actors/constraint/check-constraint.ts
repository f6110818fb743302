/** Whether what came as a constraint is one: callers in plain JavaScript, and whoever sends JSON, may give anything. */
import { shownValue } from '../shown-value.ts';
import type { Constraint } from './constraint.ts';
import { constraintError } from './constraint-errors.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What each field of a kind has to be; a `?` may be absent. */
const KINDS: Readonly<Record<Constraint['type'], Readonly<Record<string, Check>>>> = {
  json_schema: { schema: () => undefined }, // the compiler says what is wrong with it, and where
  json_object: {},
  regex: { pattern: text },
  choice: { choices: texts },
  grammar: { grammar: text },
  tagged: { tags, 'required?': yesOrNo, 'separator?': text, 'maxTags?': count },
  either: { alternatives },
};

/** What stands between the tags of a passage. */
const PASSAGES = ['json_schema', 'regex', 'grammar'];

/** @returns what is wanted instead; undefined when it is right. @throws for what is wrong further down */
type Check = (value: unknown, field: string) => string | undefined;

/** @throws InputError CONSTRAINT_INVALID naming the field that is missing, unknown or of the wrong kind */
export function checkConstraint(value: unknown, field: string): asserts value is Constraint {
  const kinds = Object.keys(KINDS);
  checkKind(value, field, kinds);
}

function checkKind(value: unknown, field: string, kinds: readonly string[]): void {
  if (!isFields(value)) throw invalid(field, value, `Give an object with a type: ${kinds.join(', ')}.`);
  const { type, ...fields } = value;
  const checks = Object.entries(KINDS).find(([kind]) => kind === type && kinds.includes(kind))?.[1];
  if (checks === undefined) throw invalid(`${field}.type`, type, `Use one of ${kinds.join(', ')}.`);
  checkFields(fields, field, checks);
}

function checkFields(fields: Fields, field: string, checks: Readonly<Record<string, Check>>): void {
  const names = Object.keys(checks).map((name) => name.replace('?', ''));
  for (const name of Object.keys(fields)) {
    if (names.includes(name)) continue;
    const remedy = names.length === 0 ? 'Leave it out.' : `Use ${names.join(', ')} alone.`;
    throw invalid(`${field}.${name}`, fields[name], remedy);
  }
  for (const [named, check] of Object.entries(checks)) {
    const name = named.replace('?', '');
    if (fields[name] === undefined && named !== name) continue;
    const remedy = check(fields[name], `${field}.${name}`);
    if (remedy !== undefined) throw invalid(`${field}.${name}`, fields[name], remedy);
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? undefined : 'Give a text.';
}

function texts(value: unknown): string | undefined {
  const are = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
  return are ? undefined : 'Give a list of texts, at least one.';
}

function yesOrNo(value: unknown): string | undefined {
  return typeof value === 'boolean' ? undefined : 'Give true or false.';
}

function count(value: unknown): string | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 1 ? undefined : 'Give an integer from 1.';
}

function tags(value: unknown, field: string): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return 'Give a list of tags, at least one.';
  for (const [index, tag] of value.entries()) {
    const at = `${field}[${index}]`;
    if (!isFields(tag)) throw invalid(at, tag, 'Give an object with begin, content and end.');
    checkFields(tag, at, { begin: text, content: passage, end: text });
  }
  return undefined;
}

function alternatives(value: unknown, field: string): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return 'Give a list of constraints, at least one.';
  const kinds = Object.keys(KINDS).filter((kind) => kind !== 'either');
  for (const [index, one] of value.entries()) checkKind(one, `${field}[${index}]`, kinds);
  return undefined;
}

function passage(value: unknown, field: string): undefined {
  checkKind(value, field, PASSAGES);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(field: string, value: unknown, remedy: string) {
  return constraintError({
    code: 'CONSTRAINT_INVALID',
    field,
    problem: value === undefined ? 'is missing' : 'is no part of a constraint',
    value: shownValue(value),
    remedy,
  });
}
