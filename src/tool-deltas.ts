/** Chunks of an engine to deltas in which calls of tools are told apart from text, for each of the `n` answers by itself. */
import type { TokenChunk } from '../actors/generation.ts';
import { type CallParser, createCallParser } from '../actors/tools/parsers/call-parser.ts';
import type { ParsedPiece } from '../actors/tools/parsers/call-sink.ts';
import type { ToolStyle } from '../actors/tools/tool-style.ts';
import type { ToolCallDelta } from '../actors/tools/tool-types.ts';
import type { ChatDelta } from './chat-types.ts';

export class ToolDeltas {
  readonly #parsers = new Map<number, CallParser>();
  readonly #style: ToolStyle;
  readonly #names: readonly string[];

  /** @param names of the tools that may be called */
  constructor(style: ToolStyle, names: readonly string[]) {
    this.#style = style;
    this.#names = names;
  }

  /** Tokens go with the first delta, though their text may come with a later one. */
  of(chunk: TokenChunk): ChatDelta[] {
    const [first = { text: '' }, ...more] = grouped(this.#parser(chunk.index ?? 0).push(chunk.text));
    return [{ ...chunk, ...first }, ...more.map((group) => withoutTokens(group, chunk.index))];
  }

  /** What the answers' ends make certain. */
  end(): ChatDelta[] {
    const several = this.#parsers.size > 1;
    return [...this.#parsers].flatMap(([index, parser]) =>
      grouped(parser.end()).map((group) => withoutTokens(group, several ? index : undefined)),
    );
  }

  #parser(index: number): CallParser {
    const known = this.#parsers.get(index);
    if (known !== undefined) return known;
    const parser = createCallParser(this.#style, this.#names);
    this.#parsers.set(index, parser);
    return parser;
  }
}

interface Group {
  readonly text: string;
  readonly toolCalls?: readonly ToolCallDelta[];
}

/** Text and the calls behind it are one delta; text behind calls begins another. */
function grouped(pieces: readonly ParsedPiece[]): Group[] {
  const groups: { text: string; toolCalls?: ToolCallDelta[] }[] = [];
  for (const piece of pieces) {
    const last = groups.at(-1);
    if ('text' in piece) {
      if (last === undefined || last.toolCalls !== undefined) groups.push({ text: piece.text });
      else last.text += piece.text;
    } else if (last === undefined) groups.push({ text: '', toolCalls: [piece.call] });
    else last.toolCalls = [...(last.toolCalls ?? []), piece.call];
  }
  return groups;
}

function withoutTokens(group: Group, index: number | undefined): ChatDelta {
  return { ...group, tokenIds: [], ...(index === undefined ? {} : { index }) };
}
