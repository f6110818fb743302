/** The tokens of a prompt, as they are asked for and told: data alone, so that public types may name it. */
import type { ChatRequest } from './generation.ts';

/** A prompt whose tokens are asked for. */
export interface TokenizeRequest {
  readonly requestId: string;
  readonly chat: ChatRequest;
  /** What of each token is wanted beside its id. */
  readonly pieces?: TokenPieces | undefined;
}

/** `spelled`: as the vocabulary has it, `Ġis` say; `text`: what it is in a text. */
export type TokenPieces = 'spelled' | 'text';

export interface TokenizedPrompt {
  /** int32 `[promptLength]`. */
  readonly ids: Int32Array<ArrayBuffer>;
  /** One for each token where they are wanted, or none. Bytes where a token's text is no whole character. */
  readonly pieces: readonly (string | readonly number[])[];
}
