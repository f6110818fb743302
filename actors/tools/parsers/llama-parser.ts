/**
 * An answer that is nothing but calls: objects one after the other, or a list in Python. One that begins otherwise has no
 * calls, for nothing marks them.
 */
import { CallObject } from './call-object.ts';
import type { CallParser } from './call-parser.ts';
import type { CallSink, ParsedPiece } from './call-sink.ts';
import type { Passage } from './passage.ts';
import { PythonCalls } from './python-calls.ts';

const SPACE = /\s/;

export class LlamaParser implements CallParser {
  readonly #sink: CallSink;
  #state: 'before' | 'passage' | 'text' = 'before';
  #passage: Passage | undefined;
  /** What may turn out to be text. */
  #raw = '';
  #callsBefore = 0;

  constructor(sink: CallSink) {
    this.#sink = sink;
  }

  push(text: string): readonly ParsedPiece[] {
    for (const character of text) this.#feed(character);
    return this.#sink.take();
  }

  end(): readonly ParsedPiece[] {
    const opened = this.#sink.calls > this.#callsBefore;
    const between = this.#state === 'before' && this.#sink.calls > 0;
    if (!opened && !between) this.#sink.text(this.#raw);
    return this.#sink.take();
  }

  #feed(character: string): void {
    if (this.#state === 'text') this.#sink.text(character);
    else if (this.#state === 'before') this.#before(character);
    else this.#inPassage(character);
  }

  #before(character: string): void {
    this.#raw += character;
    if (SPACE.test(character) || (this.#sink.calls > 0 && /[;,]/.test(character))) return;
    if (character !== '{' && character !== '[') {
      this.#isText();
      return;
    }
    this.#state = 'passage';
    this.#callsBefore = this.#sink.calls;
    this.#passage = character === '[' ? new PythonCalls(this.#sink) : new CallObject(this.#sink);
    if (character === '{') this.#passage.feed(character);
  }

  #inPassage(character: string): void {
    this.#raw += character;
    const state = this.#passage?.feed(character);
    if (state === 'reading') return;
    const called = this.#sink.calls > this.#callsBefore;
    if (!called) {
      this.#isText();
      return;
    }
    this.#raw = state === 'done' ? '' : character;
    this.#state = 'before';
    this.#callsBefore = this.#sink.calls;
    if (state !== 'done') this.#isText();
  }

  #isText(): void {
    this.#state = 'text';
    this.#sink.text(this.#raw);
    this.#raw = '';
  }
}
