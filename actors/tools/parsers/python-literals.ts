/** Keyword arguments of a call in Python, of literals alone, as the JSON of an object. */

const MAX_DEPTH = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_]\w*/y;
const WORDS: Readonly<Record<string, string>> = {
  True: 'true',
  False: 'false',
  None: 'null',
  true: 'true',
  false: 'false',
  null: 'null',
};
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '0': '\0' };

/** Undefined: it is something else. */
export function keywordsToJson(text: string): string | undefined {
  try {
    return new Literals(text).keywords();
  } catch (error) {
    if (error === NO_LITERAL) return undefined;
    throw error;
  }
}

const NO_LITERAL = new Error('is no literal');

class Literals {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  keywords(): string {
    const members = this.#list('', () => {
      const name = this.#match(WORD);
      this.#take('=');
      return `${JSON.stringify(name)}: ${this.#value(0)}`;
    });
    return `{${members.join(', ')}}`;
  }

  #value(depth: number): string {
    if (depth > MAX_DEPTH) throw NO_LITERAL;
    this.#space();
    const next = this.#text.charAt(this.#at);
    if (next === '"' || next === "'") return JSON.stringify(this.#string());
    if (next === '[') {
      this.#at += 1;
      return `[${this.#list(']', () => this.#value(depth + 1)).join(', ')}]`;
    }
    if (next === '{') {
      this.#at += 1;
      const members = this.#list('}', () => {
        this.#space();
        const key = this.#string();
        this.#take(':');
        return `${JSON.stringify(key)}: ${this.#value(depth + 1)}`;
      });
      return `{${members.join(', ')}}`;
    }
    if (/[-\d]/.test(next)) return this.#match(NUMBER);
    const word = this.#match(WORD);
    const json = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (json === undefined) throw NO_LITERAL;
    return json;
  }

  /** @param end what it ends with, which is taken; '' for the end of the text */
  #list(end: string, item: () => string): string[] {
    const items: string[] = [];
    for (;;) {
      if (this.#ends(end)) return items;
      items.push(item());
      if (this.#ends(end)) return items;
      this.#take(',');
    }
  }

  #ends(end: string): boolean {
    this.#space();
    if (end === '') return this.#at === this.#text.length;
    if (this.#text.charAt(this.#at) !== end) return false;
    this.#at += 1;
    return true;
  }

  #string(): string {
    const quote = this.#text.charAt(this.#at);
    if (quote !== '"' && quote !== "'") throw NO_LITERAL;
    let value = '';
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text.charAt(this.#at);
      if (character === quote) {
        this.#at += 1;
        return value;
      }
      value += character === '\\' ? this.#escape() : character;
    }
    throw NO_LITERAL;
  }

  /** Its last character is the current one afterwards. */
  #escape(): string {
    this.#at += 1;
    const kind = this.#text.charAt(this.#at);
    const digits = { x: 2, u: 4, U: 8 }[kind];
    if (digits === undefined) return ESCAPES[kind] ?? kind;
    const code = this.#text.slice(this.#at + 1, this.#at + 1 + digits);
    const point = /^[0-9a-fA-F]+$/.test(code) && code.length === digits ? Number.parseInt(code, 16) : -1;
    if (point < 0 || point > 0x10_ffff) throw NO_LITERAL;
    this.#at += digits;
    return String.fromCodePoint(point);
  }

  #match(pattern: RegExp): string {
    this.#space();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw NO_LITERAL;
    this.#at += found.length;
    return found;
  }

  #take(character: string): void {
    this.#space();
    if (this.#text.charAt(this.#at) !== character) throw NO_LITERAL;
    this.#at += 1;
  }

  #space(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1;
  }
}
