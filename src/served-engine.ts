/** What a server needs of an engine: one in its process, or, behind a gateway, a fleet of them. */
import type { ChatOptions, ChatResult, ChatStream } from './chat-types.ts';
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
    | 'mode'
    | 'model'
    | 'notices'
    | 'stats'
    | 'stop'
    | 'tokenize'
  > {
  chat(request: ChatOptions): Promise<ChatResult>;
  stream(request: ChatOptions): ChatStream;
}
