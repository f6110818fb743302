/** What a caller of the programmatic API hands in and gets back. */
import type { Constraint } from '../actors/constraint/constraint.ts';
import type {
  AssistantMessage,
  FinishReason,
  RawPrompt,
  SamplingOptions,
  SpokenMessage,
  StageSpan,
  TextPart,
  TokenChunk,
  TokenLogprob,
  ToolMessage,
  Usage,
} from '../actors/generation.ts';
import type { ToolCall, ToolCallDelta, ToolOptions } from '../actors/tools/tool-types.ts';
import type { BlobLike } from '../runtime/util/realms.ts';
import type { Tool } from './schema/tool-arguments.ts';

/**
 * `aggregated`: encoder and language model are one actor, image embeddings never leave it.
 * `disaggregated`: they are actors of their own, embeddings travel between them by reference.
 */
export type Mode = 'aggregated' | 'disaggregated';

/** Both modes, the default first. */
export const MODES: readonly Mode[] = ['aggregated', 'disaggregated'];

/**
 * An image as callers have it: a file path; an http(s), data or file URL, as a string or a `URL`; or the bytes of an
 * encoded image (PNG, JPEG, WebP…) as a `Buffer`, any other view or buffer, a `Blob` or a `File`.
 */
export type ImageInput = string | URL | ArrayBufferLike | ArrayBufferView | BlobLike;

/** An image, at its place among the other parts of a message. */
export interface ImagePart {
  /** Tells the parts of a message apart. */
  readonly type: 'image';
  /** Where it comes from; opened and decoded on a thread of the engine. */
  readonly image: ImageInput;
}

/** Text, or an image. */
export type ContentPart = TextPart | ImagePart;

/** One turn of a conversation. */
export type ChatMessage = SpokenMessage<ImageInput> | AssistantMessage<ImageInput> | ToolMessage;

/** A conversation to be answered, how, and when to give it up. */
export interface ChatOptions extends SamplingOptions, Omit<ToolOptions, 'tools'> {
  /** The conversation so far, oldest first, at least one message; the last one is answered. */
  readonly messages: readonly ChatMessage[];
  /** What the model goes on with instead of `messages`, which are empty then. @internal */
  readonly prompt?: RawPrompt;
  /** What the answer has to be. Default: any text. With `n` above 1 it holds for each answer. */
  readonly constraint?: Constraint;
  /** What the model may call, at most 128; parameters as a schema of zod, say, or as JSON Schema. Default: nothing. */
  readonly tools?: readonly Tool[];
  /**
   * Token ids that the answer begins with, as `ChatResult.tokenIds` has them: they are run with the prompt, and the answer goes
   * on behind them as if the engine had just made them, with the numbers that a seeded sampler would draw next. The answer, its
   * deltas and its usage contain them. Default: none.
   */
  readonly answerPrefix?: readonly number[];
  /** Aborting it ends the request; its compute stops within one step. */
  readonly signal?: AbortSignal;
  /** Milliseconds from submission until the request fails with `DEADLINE_EXCEEDED`. Default: the engine's. */
  readonly timeoutMs?: number;
}

/** A piece of the answer, as soon as it is known. Of a request with tools its text is what lies outside of calls. */
export interface ChatDelta extends TokenChunk {
  /** Pieces of calls, in order, behind the text; absent where there are none. */
  readonly toolCalls?: readonly ToolCallDelta[];
}

/** Milliseconds. */
export interface ChatTimings {
  /** Waiting for room: in mailboxes and in the language model's queue. */
  readonly queueMs: number;
  /** Chat template, tokenizer, image decoding and resizing. */
  readonly preprocessMs: number;
  /** The vision graph, waiting for it included. About 0 without an image, and for images encoded before. */
  readonly encodeMs: number;
  /** Running the prompt through the language model, waiting for a turn included. */
  readonly prefillMs: number;
  /** From submission to the first text. */
  readonly timeToFirstTokenMs: number;
  /** Mean time between generated tokens of one answer after the first; 0 with fewer than two. */
  readonly interTokenMs: number;
  /** From submission to the end. */
  readonly totalMs: number;
}

/** Bytes of tensors that one actor handed to another, for one request. */
export interface BytesBetweenActors {
  /** Handed over by reference. */
  readonly moved: number;
  /** Cloned into a message. */
  readonly copied: number;
}

/** One of the `n` answers to a request. */
export interface ChatChoice {
  /** Which one, from 0. */
  readonly index: number;
  /** The answer without white space before it; empty when the model said nothing. */
  readonly text: string;
  /** Why it ended. */
  readonly finishReason: FinishReason;
  /** Which of the request's `stop` ended it; absent when none did. */
  readonly stopString?: string;
  /** What the model calls, in order; absent when it calls nothing. With `length` the last one may be cut short. */
  readonly toolCalls?: readonly ToolCall[];
  /** Generated token ids, without the end-of-sequence token. */
  readonly tokenIds: readonly number[];
  /** One for each of `tokenIds`; absent unless `logprobs` was asked for. */
  readonly logprobs?: readonly TokenLogprob[];
}

/** A whole answer, and what it took. Text, tokens and their end are those of the first choice. */
export interface ChatResult extends Omit<ChatChoice, 'index'> {
  /** All `n` answers, in order; the first is the one of `text`. */
  readonly choices: readonly ChatChoice[];
  /** Tokens of prompt and answer. */
  readonly usage: Usage;
  /** Where the time went. */
  readonly timings: ChatTimings;
  /** How the engine that answered shares the work. */
  readonly mode: Mode;
  /**
   * Tensors that this request's actors handed to each other. `embeddings` is 0 in aggregated mode: the actor that reads
   * them has made them, or finds them in the cache.
   */
  readonly bytesBetweenActors: {
    /** Preprocessed images, from processor to encoder. */
    readonly pixels: BytesBetweenActors;
    /** What the encoder made of them, to the language model. */
    readonly embeddings: BytesBetweenActors;
  };
  /** What was done when and by which actor, in order, on the process clock; for traces. */
  readonly stages: readonly StageSpan[];
}

/** An answer in the making: iterate for deltas, await `result` for the whole. Ending the loop early aborts. */
export interface ChatStream extends AsyncIterable<ChatDelta> {
  /** Settles when the deltas have been consumed. */
  readonly result: Promise<ChatResult>;
  /** Ends the request as `ABORTED`; its compute stops within one step. No effect on one that has ended. */
  abort(reason?: unknown): void;
}
