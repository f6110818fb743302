/** Calls as a list in Python, `[f(a=1, b="x"), g()]`, behind its `[`. Each goes out when it is whole. */
import type { CallSink } from './call-sink.ts';
import type { Passage, PassageState } from './passage.ts';
import { keywordsToJson } from './python-literals.ts';

const NAME = /[\w.-]/;
const SPACE = /\s/;
const LONGEST_CALL = 65_536;

export class PythonCalls implements Passage {
  readonly #sink: CallSink;
  #name = '';
  /** Undefined outside of parentheses. */
  #given: string | undefined;
  #depth = 0;
  #quote = '';
  #escaped = false;
  #between = false;

  constructor(sink: CallSink) {
    this.#sink = sink;
  }

  feed(character: string): PassageState {
    if (this.#given !== undefined) return this.#inParentheses(this.#given, character);
    if (SPACE.test(character)) return 'reading';
    if (this.#between) {
      if (character === ']') return 'done';
      this.#between = false;
      return character === ',' ? 'reading' : 'over';
    }
    if (character === '(') {
      this.#given = '';
      return this.#sink.knows(this.#name) ? 'reading' : 'failed';
    }
    this.#name += character;
    return NAME.test(character) && this.#name.length <= 128 ? 'reading' : 'failed';
  }

  #inParentheses(given: string, character: string): PassageState {
    if (character === ')' && this.#quote === '' && this.#depth === 0) return this.#call(given);
    this.#given = given + character;
    if (this.#given.length > LONGEST_CALL) return 'failed';
    if (this.#quote !== '') {
      if (this.#escaped) this.#escaped = false;
      else if (character === '\\') this.#escaped = true;
      else if (character === this.#quote) this.#quote = '';
    } else if (character === '"' || character === "'") this.#quote = character;
    else if (/[([{]/.test(character)) this.#depth += 1;
    else if (/[)\]}]/.test(character)) this.#depth -= 1;
    return 'reading';
  }

  #call(given: string): PassageState {
    const json = keywordsToJson(given);
    if (json === undefined) return 'failed';
    this.#sink.open(this.#name);
    this.#sink.more(json);
    this.#name = '';
    this.#given = undefined;
    this.#between = true;
    return 'reading';
  }
}
