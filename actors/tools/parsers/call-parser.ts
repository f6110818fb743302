/** Finds calls in an answer while it is made. */
import { newCallId } from '../call-ids.ts';
import type { ToolStyle } from '../tool-style.ts';
import { CallSink, type ParsedPiece } from './call-sink.ts';
import { HERMES_BEGIN, HermesPassage } from './hermes-passage.ts';
import { LlamaParser } from './llama-parser.ts';
import { MarkedParser } from './marked-parser.ts';
import { MISTRAL_BEGIN, MistralPassage } from './mistral-passage.ts';

export interface CallParser {
  /** @returns what became certain; put together the same however the answer is cut */
  push(text: string): readonly ParsedPiece[];
  /** The rest of the answer, which has ended. */
  end(): readonly ParsedPiece[];
}

/** @param names of the tools; a call of anything else is text */
export function createCallParser(
  style: ToolStyle,
  names: Iterable<string>,
  newId: () => string = () => newCallId(style),
): CallParser {
  const sink = new CallSink(names, newId);
  switch (style) {
    case 'hermes':
      return new MarkedParser(sink, HERMES_BEGIN, (to) => new HermesPassage(to));
    case 'mistral':
    case 'mistral-args':
      return new MarkedParser(sink, MISTRAL_BEGIN, (to) => new MistralPassage(to));
    case 'llama':
      return new LlamaParser(sink);
    default:
      return style satisfies never;
  }
}
