/** What comes behind `[TOOL_CALLS]`: a list of calls, or the name of one, `[ARGS]` (or nothing) and its arguments. */
import { CallObject } from './call-object.ts';
import type { CallSink } from './call-sink.ts';
import { JsonSpan } from './json-span.ts';
import type { Passage, PassageState } from './passage.ts';

export const MISTRAL_BEGIN = '[TOOL_CALLS]';
export const MISTRAL_ARGUMENTS = '[ARGS]';
const CALL_ID = '[CALL_ID]';
const LONGEST_HEAD = 1024;
const SPACE = /\s/;

export class MistralPassage implements Passage {
  readonly #sink: CallSink;
  #kind: Passage | undefined;

  constructor(sink: CallSink) {
    this.#sink = sink;
  }

  feed(character: string): PassageState {
    if (this.#kind !== undefined) return this.#kind.feed(character);
    if (SPACE.test(character)) return 'reading';
    this.#kind = character === '[' ? new CallList(this.#sink) : new NamedCall(this.#sink);
    return character === '[' ? 'reading' : this.#kind.feed(character);
  }
}

/** Behind its `[`. */
class CallList implements Passage {
  readonly #sink: CallSink;
  #call: CallObject;
  #between = false;

  constructor(sink: CallSink) {
    this.#sink = sink;
    this.#call = new CallObject(sink);
  }

  feed(character: string): PassageState {
    if (!this.#between) {
      const state = this.#call.feed(character);
      this.#between = state === 'done';
      return this.#between ? 'reading' : state;
    }
    if (SPACE.test(character)) return 'reading';
    if (character === ']') return 'done';
    if (character !== ',') return 'over';
    this.#call = new CallObject(this.#sink);
    this.#between = false;
    return 'reading';
  }
}

class NamedCall implements Passage {
  readonly #sink: CallSink;
  readonly #span = new JsonSpan();
  #head = '';
  #opened = false;

  constructor(sink: CallSink) {
    this.#sink = sink;
  }

  feed(character: string): PassageState {
    if (!this.#opened) {
      if (character !== '{') {
        this.#head += character;
        return this.#head.length > LONGEST_HEAD ? 'failed' : 'reading';
      }
      const [name = ''] = this.#head.trim().replace(MISTRAL_ARGUMENTS, '').split(CALL_ID);
      if (!this.#sink.knows(name.trim())) return 'failed';
      this.#sink.open(name.trim());
      this.#opened = true;
    }
    this.#sink.more(character);
    return this.#span.feed(character) ? 'done' : 'reading';
  }
}
