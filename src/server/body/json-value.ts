/**
 * JSON from strangers, as the value that it means and no other: what could be read in two ways (a name that comes twice,
 * half a character, bytes that are no text) is refused where another reader would quietly choose.
 */
import { messageOf } from '../../../runtime/util/realms.ts';
import { ApiError, badRequest } from '../openai/api-error.ts';
import { countMembers } from './json-shape.ts';
import { repeatedName } from './repeated-name.ts';

/** @throws ApiError 400 `body_too_complex`, `invalid_json`, `invalid_value` */
export function parseJson(json: Uint8Array): unknown {
  if (json.length === 0) throw noJson('is empty');
  const members = countMembers(json);
  const text = decodeText(json);
  const value = parse(text);
  const check = new ValueCheck();
  check.visit(value);
  if (check.members === members) return value;
  const name = repeatedName(text) ?? 'body';
  throw badRequest('invalid_json', name, 'comes twice in the same object');
}

/** A byte order mark is taken off. */
function decodeText(json: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(json);
  } catch {
    throw noJson('is not encoded in UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const position = /at position \d+/.exec(messageOf(cause))?.[0];
    const where = position === undefined ? '' : `, ${position}`;
    throw noJson(`is no valid JSON${where}`);
  }
}

/** Of the whole, which is no field. */
function noJson(problem: string): ApiError {
  const facts = { status: 400, type: 'invalid_request_error', code: 'invalid_json' } as const;
  return new ApiError(`The body ${problem}.`, facts);
}

/** As deep as the shape allows. */
class ValueCheck {
  /** Members of all objects. */
  members = 0;
  readonly #path: (string | number)[] = [];

  visit(value: unknown): void {
    if (typeof value === 'string') this.#assertText(value);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
      this.#path.push(name);
      if (typeof name === 'string') this.#assertName(name);
      this.visit(member);
      this.#path.pop();
    }
  }

  #assertName(name: string): void {
    this.members += 1;
    this.#assertText(name);
    if (name === '__proto__') throw badRequest('invalid_json', this.#field(), 'is no name for a field');
  }

  #assertText(text: string): void {
    if (text.isWellFormed()) return;
    throw badRequest('invalid_value', this.#field(), 'has half of a surrogate pair, which is no character');
  }

  /** `messages[0].content` */
  #field(): string {
    const steps = this.#path.map((step) =>
      typeof step === 'number' ? `[${step}]` : `.${step.toWellFormed().slice(0, 64)}`,
    );
    return steps.join('').replace(/^\./, '') || 'body';
  }
}
