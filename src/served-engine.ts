/** What a server needs of an engine: one in its process, or, behind a gateway, a fleet of them. */
import type { ChatOptions, ChatResult, ChatStream, Mode } from './chat-types.ts';
import type { Troupe } from './troupe.ts';

/** An engine as a server has it; in all but a gateway it is a `Troupe`. */
export interface ServedEngine
  extends Pick<
    Troupe,
    | 'clearCaches'
    | 'contextLength'
    | 'crash'
    | 'detokenize'
    | 'events'
    | 'health'
    | 'stats'
    | 'stop'
    | 'tokenize'
  > {
  /** How its actors share the work. */
  readonly mode: Mode;
  /** Path of the model directory; behind a gateway, the name of the model. */
  readonly model: string;
  /** What whoever runs it should know, a line each; empty when all is as it should be. */
  readonly notices: readonly string[];
  /** The whole answer. Throws what the request fails with. */
  chat(request: ChatOptions): Promise<ChatResult>;
  /** The answer as it is made. Throws when the request is wrong in itself; later failures reject its iteration. */
  stream(request: ChatOptions): ChatStream;
}
