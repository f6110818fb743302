/**
 * The data that flows along the pipeline, declared once for both ends of every channel:
 * `ChatRequest` (caller → processor) → `PreparedRequest` (processor → encoder) → `EncodedRequest`
 * (encoder → PD) → `TokenChunk`s and one `GenerationSummary` (PD → caller, directly).
 */
import type { SharedTensor } from '../runtime/tensors/shared-tensor.ts';
import type { CompiledConstraint } from './constraint/compiled-constraint.ts';
import type { Constraint } from './constraint/constraint.ts';
import type { ToolStyle } from './tools/tool-style.ts';
import type { ToolCall, ToolOptions } from './tools/tool-types.ts';

// ---------------------------------------------------------------------------------------------- request

/**
 * Where an image comes from, as it is sent between threads: raw encoded bytes (PNG, JPEG, WebP…), a file path, an http(s)
 * URL or a data URL. What callers may hand in is wider (`ImageInput` in `src/chat-types.ts`).
 */
export type ImageSource = string | URL | Uint8Array<ArrayBuffer>;

/** A piece of text of a message. */
export interface TextPart {
  /** Tells the parts of a message apart. */
  readonly type: 'text';
  /** Read as it is: what spells a special token (`<image>`) is text. */
  readonly text: string;
}

/** A picture, at its place among the other parts of a message. */
export interface ImagePart<Image = ImageSource> {
  /** Tells the parts of a message apart. */
  readonly type: 'image';
  /** Where it comes from; opened and decoded on a thread of the engine. */
  readonly image: Image;
}

/** A part of a message: text or a picture. */
export type ContentPart<Image = ImageSource> = TextPart | ImagePart<Image>;

/** A turn that somebody speaks. */
export interface SpokenMessage<Image = ImageSource> {
  /** Who speaks. Pictures belong to the user. */
  readonly role: 'system' | 'user';
  /** Plain text, or text and images in the order in which the model shall read them. */
  readonly content: string | readonly ContentPart<Image>[];
}

/** An earlier answer. */
export interface AssistantMessage<Image = ImageSource> {
  /** Who speaks. */
  readonly role: 'assistant';
  /** What it said; may be empty beside calls. */
  readonly content: string | readonly ContentPart<Image>[];
  /** What it called, behind its text. The result of each of them has to follow. */
  readonly toolCalls?: readonly ToolCall[];
}

/** The result of a call, after the answer that made it. */
export interface ToolMessage {
  /** Who speaks. */
  readonly role: 'tool';
  /** The `id` of the call. */
  readonly toolCallId: string;
  /** The result, for the model to read; JSON, mostly. */
  readonly content: string | readonly TextPart[];
}

/** One turn of a conversation. */
export type ChatMessage<Image = ImageSource> = SpokenMessage<Image> | AssistantMessage<Image> | ToolMessage;

/** How the next token is chosen and when generation ends. Absent fields fall back to generation_config.json. */
export interface SamplingOptions {
  /** Most tokens to generate, > 0. Default: the model's `max_new_tokens`, else 256; cut to the context length. */
  readonly maxTokens?: number;
  /** ≥ 0; 0 is greedy. Default: greedy unless generation_config.json says `do_sample`. */
  readonly temperature?: number;
  /** Keep the k most likely tokens; 0 keeps all. */
  readonly topK?: number;
  /** Nucleus: keep the smallest set with this much probability, in (0, 1]. */
  readonly topP?: number;
  /** Drop tokens less likely than this share of the likeliest, in [0, 1]. */
  readonly minP?: number;
  /** From 1e-6 to 1e6; 1 is off. CTRL's penalty over prompt and answer (Keskar et al. 2019), as in transformers. */
  readonly repetitionPenalty?: number;
  /** [-2, 2]; 0 is off. Subtracted once from every token already generated (OpenAI's definition). */
  readonly presencePenalty?: number;
  /** [-2, 2]; 0 is off. Subtracted per earlier occurrence in the answer (OpenAI's definition). */
  readonly frequencyPenalty?: number;
  /** 32-bit seed; the same seed gives the same text whatever the batch, but for rounding. Default: random. */
  readonly seed?: number;
  /** Generation ends before the first of these strings would appear; it is not part of the text. At most 16. */
  readonly stop?: readonly string[];
  /**
   * Added to the logits of these tokens before one is chosen, by token id: from -100, which practically forbids a token,
   * to 100, which practically forces it. Ids of the model's tokenizer.
   */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** Whether each token comes with how likely it was. Default false. */
  readonly logprobs?: boolean;
  /** How many of the likeliest tokens at each place come with it, 0 to 20; needs `logprobs`. Default 0. */
  readonly topLogprobs?: number;
  /**
   * Answers to be made of the one prompt, 1 to 16; default 1. The prompt is run once. Answer `i` is the one that `seed + i`
   * gives (modulo 2³²), so the first is that of the same request without `n`, and greedy ones are all equal.
   */
  readonly n?: number;
}

/** Every field decided: what the sampler reads. */
export type ResolvedSampling = Required<SamplingOptions>;

/**
 * A prompt that goes to the model as it is, without its chat template: text, in which control tokens are what they spell,
 * or the ids of its tokens. It has no images.
 */
export type RawPrompt =
  | {
      readonly text: string;
      /** What the tokenizer puts around a text, a beginning-of-sequence token say. */
      readonly addSpecial: boolean;
      /** Whether text that spells a control token is that token. */
      readonly parseSpecial: boolean;
    }
  | { readonly tokens: readonly number[] };

/** A conversation to be answered, and how. */
export interface ChatRequest<Image = ImageSource> extends SamplingOptions, ToolOptions {
  /** The conversation so far, oldest first, at least one message; the last one is answered. */
  readonly messages: readonly ChatMessage<Image>[];
  /** What the model goes on with instead of `messages`, of which there are none then. @internal */
  readonly prompt?: RawPrompt;
  /** What the answer has to be. Default: any text. With `n` above 1 it holds for each answer. */
  readonly constraint?: Constraint;
  /** How the model writes calls; known where there are tools or their calls. @internal */
  readonly toolStyle?: ToolStyle;
  /**
   * Token ids that the answer begins with, as `ChatResult.tokenIds` has them: they are run with the prompt, and the answer goes
   * on behind them as if the engine had just made them, with the numbers that a seeded sampler would draw next. The answer, its
   * deltas and its usage contain them. Default: none.
   */
  readonly answerPrefix?: readonly number[];
}

// --------------------------------------------------------------------------------------------- pipeline

/** A small input of the vision graph beside the pixels, int64: the grid of an image's patches, say. */
export interface ImageTensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: readonly number[];
}

/** One image, ready for the vision graph. */
export interface PreparedImage {
  /** SHA-256, full length, hex, over the preprocessed pixels, their shape and the further inputs. */
  readonly hash: string;
  /** float32 `[tiles, 3, height, width]` or `[patches, values]`, held by the processor until the hand-over settles. */
  readonly pixels: SharedTensor;
  /** Image tokens that stand for it in the prompt. */
  readonly tokens: number;
  /** Parts that do not see each other; see `ImagePlan`. */
  readonly parts: number;
  /** Further inputs of the graph, by name. */
  readonly inputs: Readonly<Record<string, ImageTensor>>;
}

/** One image as the language model reads it. */
export interface EncodedImage {
  readonly hash: string;
  /**
   * float32 `[layers, tokens, hidden]`, held by who hands it over until the hand-over settles. The first layer takes the
   * place of image tokens; further ones, where a model has them, are added behind decoder layers.
   */
  readonly embeddings: SharedTensor;
}

export function isEncoded(image: PreparedImage | EncodedImage): image is EncodedImage {
  return 'embeddings' in image;
}

/** Where the tokens of a prompt lie: rows of the decoder's `position_ids`. */
export interface TokenPositions {
  /** `[axes, promptLength]`, flat. */
  readonly ids: Int32Array<ArrayBuffer>;
  /** Position of the first token of the answer, in all rows. */
  readonly next: number;
}

/** What travels with a request from stage to stage. */
export interface RequestEnvelope {
  readonly requestId: string;
  /** The prompt after the chat template and image expansion, int32 `[promptLength]`. */
  readonly promptIds: Int32Array<ArrayBuffer>;
  /** How many of them, the last ones, are the answer's already. Default 0. */
  readonly answerTokens?: number;
  /** Where its tokens lie; absent for 0, 1, 2 … */
  readonly positions?: TokenPositions | undefined;
  readonly sampling: ResolvedSampling;
  /** What the answer has to be; absent for any text. */
  readonly constraint?: CompiledConstraint | undefined;
  /** Whether white space before the answer is a part of it, as behind a prompt that is no conversation. */
  readonly keepsSpace?: boolean | undefined;
  /** Whether the caller reads the answer as it is made, at a pace to keep, rather than when it is whole. */
  readonly wantsStream: boolean;
  /** When compute stops being spent, on the process clock (`processNow()`), ms; Infinity for never. */
  readonly deadline: number;
  readonly trace: StageTrace;
}

export interface PreparedRequest extends RequestEnvelope {
  /** In order of their image tokens in the prompt; those that were encoded before, as the processor found them. */
  readonly images: readonly (PreparedImage | EncodedImage)[];
}

export interface EncodedRequest extends RequestEnvelope {
  readonly images: readonly EncodedImage[];
}

/** Bytes of one hand-over between two actors, as counted on the message that was sent. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  readonly kind: 'pixels' | 'embeddings';
  /** Handed over by reference (shared memory or a transferred buffer): nothing was copied. */
  readonly bytesMoved: number;
  /** Cloned into the message. */
  readonly bytesCopied: number;
}

/** One stage's work on a request, on the process clock, ms. */
export interface StageSpan {
  /** What was done. `transfer` is the way from one actor to the next. */
  readonly stage: 'preprocess' | 'encode' | 'transfer' | 'prefill' | 'decode';
  /** The actor that did it; for a transfer, the one that received. */
  readonly actor: string;
  /** Milliseconds on a clock that the threads of the process share; only differences mean something. */
  readonly startedAt: number;
  /** The same clock, ms. */
  readonly endedAt: number;
}

/** What the stages before PD measured, milliseconds. */
export interface StageTrace {
  /** When the caller submitted the request, on the process clock, ms. */
  readonly submittedAt: number;
  /** Waiting in mailboxes and for room, up to now. */
  readonly queueMs: number;
  readonly preprocessMs: number;
  readonly encodeMs: number;
  readonly hops: readonly Hop[];
  /** In order; what lies between them is waiting. */
  readonly stages: readonly StageSpan[];
  /** When the last stage handed the request over, on the process clock, ms: until the next stage it queues. */
  readonly handedOverAt: number;
}

// ----------------------------------------------------------------------------------------------- answer

/** Why an answer ended. */
export type FinishReason =
  /** The model ended its answer or a stop string appeared. */
  | 'stop'
  /** `maxTokens` or the context length was reached. */
  | 'length'
  /** The model ended its answer, and calls tools in it. */
  | 'tool_calls';

/** A token that might come, and how likely it was. */
export interface TopLogprob {
  /** Id of the model's tokenizer. */
  readonly id: number;
  /** Its text; where the token is a part of a character alone, U+FFFD stands for it. */
  readonly text: string;
  /** The same in bytes of UTF-8: put together, those of an answer's tokens are its text and the white space before it. */
  readonly bytes: readonly number[];
  /**
   * Natural logarithm of its probability by the model alone: of the softmax over its logits, before temperature, penalties,
   * bias and constraint. Greater than or equal to -9999, which stands for less than can be told.
   */
  readonly logprob: number;
}

/** A token of an answer and how likely it was, with the likeliest at its place. */
export interface TokenLogprob extends TopLogprob {
  /** The `topLogprobs` likeliest, likeliest first; the token itself among them only if it is one of them. */
  readonly top: readonly TopLogprob[];
}

/** Newly generated text. Several tokens may come in one chunk, and a token that ends inside a character waits. */
export interface TokenChunk {
  /** May be empty, when tokens end inside a character. */
  readonly text: string;
  /** The tokens of the text, as ids of the model's tokenizer. */
  readonly tokenIds: readonly number[];
  /** One for each of `tokenIds`; absent unless `logprobs` was asked for. */
  readonly logprobs?: readonly TokenLogprob[];
  /** Which of the `n` answers it is of, from 0; absent unless `n` is above 1. */
  readonly index?: number;
}

/** Tokens that a request took. */
export interface Usage {
  /** Length of the prompt in tokens, image tokens included. */
  readonly promptTokens: number;
  /** Those of them that stand for image content. */
  readonly imageTokens: number;
  /** Tokens of the prompt that were not run, because an earlier prompt began with the same. */
  readonly cachedTokens: number;
  /** Generated tokens, without the end-of-sequence token; those of all `n` answers. */
  readonly completionTokens: number;
  /** Of `completionTokens`, those that n-grams had guessed; absent where nothing was drafted. */
  readonly acceptedDraftTokens?: number;
  /** Tokens that were guessed and did not come; they are no part of `completionTokens`. Absent where nothing was drafted. */
  readonly rejectedDraftTokens?: number;
}

/** How one of the `n` answers ended. */
export interface ChoiceSummary {
  readonly finishReason: FinishReason;
  /** The stop string that ended it; absent when none did. */
  readonly stopString?: string;
  /** Generated tokens, without the end-of-sequence token. */
  readonly completionTokens: number;
}

/** The last message of a generation. */
export interface GenerationSummary {
  /** One for each of the `n` answers, in order. */
  readonly choices: readonly [ChoiceSummary, ...ChoiceSummary[]];
  readonly usage: Usage;
  readonly trace: StageTrace;
  readonly prefillMs: number;
  readonly decodeMs: number;
}
