/** What comes behind `<tool_call>`: the call as an object, and `</tool_call>`. */
import { CallObject } from './call-object.ts';
import type { CallSink } from './call-sink.ts';
import type { Passage, PassageState } from './passage.ts';

export const HERMES_BEGIN = '<tool_call>';
export const HERMES_END = '</tool_call>';

export class HermesPassage implements Passage {
  readonly #call: CallObject;
  #ended = false;
  #matched = '';

  constructor(sink: CallSink) {
    this.#call = new CallObject(sink);
  }

  feed(character: string): PassageState {
    if (!this.#ended) {
      const state = this.#call.feed(character);
      this.#ended = state === 'done';
      return this.#ended ? 'reading' : state;
    }
    if (this.#matched === '' && /\s/.test(character)) return 'reading';
    // A model that forgets the end, or writes another bracket, has made its call nevertheless.
    if (!HERMES_END.startsWith(this.#matched + character)) return 'over';
    this.#matched += character;
    return this.#matched === HERMES_END ? 'done' : 'reading';
  }
}
