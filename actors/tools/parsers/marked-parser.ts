/**
 * An answer in which calls begin with a mark. White space between text and a call belongs to neither; text that could be
 * the beginning of a mark waits until it is known.
 *
 *     text ──mark──▶ passage ──done──▶ text
 *                       └──failed──▶ text, in which the mark is text too
 */
import type { CallParser } from './call-parser.ts';
import type { CallSink, ParsedPiece } from './call-sink.ts';
import type { Passage } from './passage.ts';

const SPACE = /^\s$/;

export class MarkedParser implements CallParser {
  readonly #sink: CallSink;
  readonly #mark: string;
  readonly #newPassage: (sink: CallSink) => Passage;
  /** White space that may come before a call. */
  #space = '';
  /** The beginning of a mark, perhaps. */
  #marked = '';
  #passage: Passage | undefined;
  /** The passage so far, without its mark. */
  #raw = '';
  #callsBefore = 0;
  /** Nothing but white space has come since a call. */
  #afterCall = false;

  constructor(sink: CallSink, mark: string, newPassage: (sink: CallSink) => Passage) {
    this.#sink = sink;
    this.#mark = mark;
    this.#newPassage = newPassage;
  }

  push(text: string): readonly ParsedPiece[] {
    this.#feed(text);
    return this.#sink.take();
  }

  end(): readonly ParsedPiece[] {
    while (this.#passage !== undefined && this.#sink.calls === this.#callsBefore) this.#giveUp();
    const rest = this.#space + this.#marked;
    if (this.#passage === undefined && (this.#marked !== '' || this.#sink.calls === 0)) this.#sink.text(rest);
    return this.#sink.take();
  }

  #feed(text: string): void {
    for (const character of text) {
      if (this.#passage === undefined) this.#text(character);
      else this.#inPassage(this.#passage, character);
    }
  }

  #text(character: string): void {
    if (this.#marked === '' && SPACE.test(character)) {
      this.#space += character;
      return;
    }
    this.#marked += character;
    if (this.#marked === this.#mark) {
      this.#passage = this.#newPassage(this.#sink);
      this.#callsBefore = this.#sink.calls;
      this.#raw = '';
      this.#marked = '';
      return;
    }
    while (this.#marked !== '' && !this.#mark.startsWith(this.#marked)) this.#shift();
  }

  /** The first character of what was held is text. */
  #shift(): void {
    const [first = ''] = this.#marked;
    this.#marked = this.#marked.slice(first.length);
    if (SPACE.test(first)) {
      this.#space += first;
      return;
    }
    this.#sink.text(this.#afterCall ? first : this.#space + first);
    this.#space = '';
    this.#afterCall = false;
  }

  #inPassage(passage: Passage, character: string): void {
    this.#raw += character;
    const state = passage.feed(character);
    if (state === 'reading') return;
    const called = this.#sink.calls > this.#callsBefore;
    if (state === 'failed' && !called) {
      this.#giveUp();
      return;
    }
    this.#passage = undefined;
    this.#space = '';
    this.#afterCall = true;
    if (state !== 'done') this.#text(character);
  }

  /** It was no call: the mark is text, and another one may lie behind it. */
  #giveUp(): void {
    const raw = this.#raw;
    this.#passage = undefined;
    this.#sink.text(this.#afterCall ? this.#mark : this.#space + this.#mark);
    this.#space = '';
    this.#afterCall = false;
    this.#feed(raw);
  }
}
