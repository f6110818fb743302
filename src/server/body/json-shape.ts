/**
 * How deep a JSON text is nested and how many values it has, found by one pass over its bytes before anything is made of
 * them: 20 MiB of brackets take some 40 ms to count, and minutes and gigabytes to parse. Whether it is JSON at all is
 * left to the parser.
 */
import { badRequest } from '../openai/api-error.ts';

/** A conversation has five levels. */
export const MAX_DEPTH = 64;

/** 4096 messages, each with a list of parts, have some 50,000. */
export const MAX_VALUES = 2 ** 17;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * @returns how many members its objects have, as they are written
 * @throws ApiError 400 `body_too_complex`, naming the field in which the bound was met
 */
export function countMembers(json: Uint8Array): number {
  const { length } = json;
  let depth = 0;
  let values = 1;
  let members = 0;
  /** The last text on the first level, which is the name of the field that follows. */
  let name: readonly [start: number, end: number] = [0, 0];
  for (let at = 0; at < length; at++) {
    switch (json[at]) {
      case QUOTE: {
        const start = at + 1;
        at = endOfText(json, start);
        if (depth === 1) name = [start, at];
        continue;
      }
      case COLON:
        members += 1;
        continue;
      case OPEN_LIST:
      case OPEN_OBJECT:
        depth += 1;
        if (depth > MAX_DEPTH) throw tooComplex(json, name, `is nested deeper than ${MAX_DEPTH} levels`);
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth -= 1;
        continue;
      case COMMA:
        break;
      default:
        continue;
    }
    values += 1;
    if (values > MAX_VALUES) throw tooComplex(json, name, `takes the body over ${MAX_VALUES} values`);
  }
  return members;
}

/** Where its closing quote is, or the end of everything. */
function endOfText(json: Uint8Array, start: number): number {
  const { length } = json;
  for (let at = start; at < length; at++) {
    const byte = json[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  return length;
}

const LONGEST_NAME = 64;

function tooComplex(json: Uint8Array, [start, end]: readonly [number, number], problem: string) {
  const name = Buffer.from(json.subarray(start, Math.min(end, start + LONGEST_NAME))).toString('latin1');
  // As it is written, and no further than plain characters go: it may be anything.
  return badRequest('body_too_complex', /^\w+/.exec(name)?.[0] ?? 'body', problem);
}
