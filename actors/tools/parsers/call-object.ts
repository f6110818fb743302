/**
 * A call as a JSON object, `{"name": "f", "arguments": {…}}`, in any order of members. Arguments go out as they come once
 * the name is known; a name that no tool has is no call.
 */
import type { CallSink } from './call-sink.ts';
import { JsonSpan } from './json-span.ts';
import type { Passage, PassageState } from './passage.ts';

/** Of what comes before the call is known to be one: names and other members, or arguments that came first. */
const LONGEST_HEAD = 16_384;

const ARGUMENTS = new Set(['arguments', 'parameters']);
const SPACE = /\s/;

type Place = 'object' | 'first key' | 'key' | 'in key' | 'colon' | 'value' | 'in value' | 'in word' | 'comma';

export class CallObject implements Passage {
  readonly #sink: CallSink;
  #place: Place = 'object';
  #span = new JsonSpan();
  /** Of the key or value that is being read. */
  #raw = '';
  #key = '';
  #name: string | undefined;
  /** Arguments that came before the name. */
  #early: string | undefined;
  #opened = false;
  #head = 0;

  constructor(sink: CallSink) {
    this.#sink = sink;
  }

  feed(character: string): PassageState {
    if (!this.#opened && ++this.#head > LONGEST_HEAD) return 'failed';
    if (this.#place === 'in key' || this.#place === 'in value') return this.#inside(character);
    if (this.#place === 'in word') {
      if (!/[\s,}]/.test(character)) return 'reading';
      this.#place = 'comma';
    }
    if (SPACE.test(character)) return 'reading';
    switch (this.#place) {
      case 'object':
        return this.#expect(character === '{', 'first key');
      case 'first key':
      case 'key':
        if (character === '}' && this.#place === 'first key') return 'failed';
        if (character !== '"') return 'failed';
        return this.#begin(character, 'in key');
      case 'colon':
        return this.#expect(character === ':', 'value');
      case 'value':
        return this.#value(character);
      case 'comma':
        if (character === '}') return this.#end();
        return this.#expect(character === ',', 'key');
      default:
        return this.#place satisfies never;
    }
  }

  #expect(found: boolean, next: Place): PassageState {
    this.#place = next;
    return found ? 'reading' : 'failed';
  }

  #begin(character: string, place: Place): PassageState {
    this.#span = new JsonSpan();
    this.#span.feed(character);
    this.#raw = '';
    this.#place = place;
    this.#keep(character);
    return 'reading';
  }

  #value(character: string): PassageState {
    if (this.#isArguments) {
      if (character !== '{' || this.#opened || this.#early !== undefined) return 'failed';
      if (this.#name !== undefined) this.#open(this.#name);
      return this.#begin(character, 'in value');
    }
    if (/["{[]/.test(character)) return this.#begin(character, 'in value');
    return this.#expect(/[\w-]/.test(character), 'in word');
  }

  #inside(character: string): PassageState {
    this.#keep(character);
    if (!this.#span.feed(character)) return 'reading';
    const inKey = this.#place === 'in key';
    this.#place = inKey ? 'colon' : 'comma';
    if (inKey) return this.#read((key) => this.#setKey(key));
    if (this.#isArguments) {
      if (!this.#opened) this.#early = this.#raw;
      return 'reading';
    }
    return this.#key === 'name' ? this.#read((name) => this.#setName(name)) : 'reading';
  }

  /** A key or a name that has ended. */
  #read(use: (text: string) => boolean): PassageState {
    try {
      const value: unknown = JSON.parse(this.#raw);
      return typeof value === 'string' && use(value) ? 'reading' : 'failed';
    } catch {
      return 'failed';
    }
  }

  #setKey(key: string): boolean {
    this.#key = key;
    return true;
  }

  #setName(name: string): boolean {
    if (this.#name !== undefined || !this.#sink.knows(name)) return false;
    this.#name = name;
    if (this.#early === undefined) return true;
    this.#open(name);
    this.#sink.more(this.#early);
    return true;
  }

  get #isArguments(): boolean {
    return ARGUMENTS.has(this.#key);
  }

  #keep(character: string): void {
    if (this.#opened && this.#place === 'in value' && this.#isArguments) this.#sink.more(character);
    else this.#raw += character;
  }

  #open(name: string): void {
    this.#sink.open(name);
    this.#opened = true;
  }

  /** Without arguments, it has none. */
  #end(): PassageState {
    if (this.#name === undefined) return 'failed';
    if (!this.#opened) {
      this.#open(this.#name);
      this.#sink.more('{}');
    }
    return 'done';
  }
}
