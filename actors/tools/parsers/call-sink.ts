/** What a parser makes of an answer: text and pieces of calls, in order; each piece as long as it can be. */
import type { ToolCallDelta } from '../tool-types.ts';

export type ParsedPiece = { readonly text: string } | { readonly call: ToolCallDelta };

export class CallSink {
  readonly #names: ReadonlySet<string>;
  readonly #newId: () => string;
  #pieces: ParsedPiece[] = [];
  #calls = 0;

  /** @param names of the tools that there are */
  constructor(names: Iterable<string>, newId: () => string) {
    this.#names = new Set(names);
    this.#newId = newId;
  }

  /** Calls that were begun so far. */
  get calls(): number {
    return this.#calls;
  }

  knows(name: string): boolean {
    return this.#names.has(name);
  }

  text(text: string): void {
    if (text === '') return;
    const last = this.#pieces.at(-1);
    if (last !== undefined && 'text' in last)
      this.#pieces[this.#pieces.length - 1] = { text: last.text + text };
    else this.#pieces.push({ text });
  }

  open(name: string): void {
    this.#pieces.push({ call: { index: this.#calls, id: this.#newId(), name, arguments: '' } });
    this.#calls += 1;
  }

  /** More of the arguments of the call that was begun last. */
  more(text: string): void {
    if (text === '') return;
    const last = this.#pieces.at(-1);
    if (last !== undefined && 'call' in last) {
      const call = { ...last.call, arguments: last.call.arguments + text };
      this.#pieces[this.#pieces.length - 1] = { call };
    } else this.#pieces.push({ call: { index: this.#calls - 1, arguments: text } });
  }

  /** What there is since the last time. */
  take(): readonly ParsedPiece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }
}
