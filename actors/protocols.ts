/** The protocols and blueprints of the model actors: every message between them is declared here, once. */
import { type Blueprint, blueprint } from '../runtime/blueprint.ts';
import { ask, protocol, stream } from '../runtime/protocol.ts';
import type { ActorRef } from '../runtime/ref/actor-ref.ts';
import type {
  ChatRequest,
  EncodedRequest,
  GenerationSummary,
  PreparedRequest,
  TokenChunk,
} from './generation.ts';
import type { ImagePolicy } from './image-policy.ts';
import type { Device } from './inference/gpu/device.ts';
import type { SentTensors } from './inference/sent-tensors.ts';
import type { ModelDirectory } from './model/model-directory.ts';
import type { SpeculationOptions } from './pd/speculation/speculation-options.ts';
import type { PoolBoardMemory } from './pool-board.ts';
import type { SharedPast } from './shared-past.ts';
import type { TokenizedPrompt, TokenizeRequest } from './tokenized-prompt.ts';

/** Names of the arenas that a system with model actors must have. */
export const PIXEL_ARENA = 'pixels';
export const EMBEDDING_ARENA = 'embeddings';
/** Names of the budgets for images that are being decoded and resized: of any size, and of small ones alone. */
export const DECODE_BUDGET = 'decoding';
export const SMALL_DECODE_BUDGET = 'decoding-small';
/** Name of the tensor cache, in the embedding arena, that it must have: image embeddings by content hash. */
export const EMBEDDING_CACHE = 'image-embeddings';
/** Name of the pool that helps PD with prompts: the only one that requests can do without. */
export const PREFILL_POOL = 'prefill';

// --------------------------------------------------------------------------------------------- protocols

/** What a caller submits. */
export interface ProcessRequest {
  readonly requestId: string;
  readonly chat: ChatRequest;
  /** See `RequestEnvelope`. */
  readonly wantsStream: boolean;
  /** On the process clock (`processNow()`), ms. */
  readonly submittedAt: number;
  /** On the process clock (`processNow()`), ms. */
  readonly deadline: number;
}

/** Messages and image sources in; the answer streams back from whichever actor ends up writing it. */
export const processorProtocol = protocol('processor', {
  generate: stream<ProcessRequest, TokenChunk, GenerationSummary>(),
  tokenize: ask<TokenizeRequest, TokenizedPrompt>(),
  /** Ids of tokens in, their text out. */
  detokenize: ask<readonly number[], string>(),
});

/** Prompt ids and pixels in, or embeddings of images that were encoded before. Served by the encoder, and by the aggregated actor with a different handler. */
export const encoderProtocol = protocol('encoder', {
  generate: stream<PreparedRequest, TokenChunk, GenerationSummary>(),
});

/** Prompt ids and image embeddings in. */
export const pdProtocol = protocol('pd', {
  generate: stream<EncodedRequest, TokenChunk, GenerationSummary>(),
});

/** The next tokens of a prompt. */
export interface PromptPart {
  readonly ids: Int32Array;
  /** float32 `[ids.length, hidden]`, images merged, in a buffer of its own; undefined when the decoder takes ids. */
  readonly embeds: Float32Array | undefined;
  /** Whether logits of the last token are wanted, and not the likeliest one alone. */
  readonly logits: boolean;
  /** `[axes, ids.length]`, flat; undefined for those behind the past, one after the other. */
  readonly positions?: Int32Array | undefined;
  /** `[ids.length]`: which see later ones; undefined when none does. */
  readonly tokenTypes?: Int32Array | undefined;
  /** `[ids.length, hidden]` for each decoder layer that adds some. */
  readonly deepstack?: readonly Float32Array[] | undefined;
  /** Keys and values of the tokens before; those of these are written behind them. */
  readonly past: SharedPast;
}

/** Parts of prompts in, what their last tokens predict back (`Predictions.outputs`). */
export const prefillProtocol = protocol('prefill', {
  extend: ask<PromptPart, SentTensors>(),
});

// -------------------------------------------------------------------------------------------- blueprints

export interface ProcessorLimits {
  readonly maxImages: number;
  /** Encoded bytes of one image. */
  readonly maxImageBytes: number;
  /** Pixels of one image, as its header claims. */
  readonly maxImagePixels: number;
  /** Pixels of the longer side. Default 65,535. */
  readonly maxImageSide?: number;
  /** Answers to one request. */
  readonly maxChoices?: number;
}

export interface ProcessorArgs {
  readonly directory: ModelDirectory;
  readonly limits: ProcessorLimits;
  readonly images: ImagePolicy;
  /** Where prepared requests go. */
  readonly encoder: ActorRef<typeof encoderProtocol>;
  /** Where requests without images may go directly, if there is such an actor. */
  readonly pd?: ActorRef<typeof pdProtocol>;
  /** What the actors of the language model tell of themselves, where there are several. */
  readonly board?: PoolBoardMemory | undefined;
}

export interface EncoderArgs {
  readonly directory: ModelDirectory;
  readonly device: Device;
  readonly threads: number;
  /** Most tiles of one run of the vision graph. */
  readonly maxTilesPerRun: number;
  readonly pd: ActorRef<typeof pdProtocol>;
  /** See `ProcessorArgs`. */
  readonly board?: PoolBoardMemory | undefined;
}

export interface PdArgs extends SpeculationOptions {
  readonly directory: ModelDirectory;
  /** Of the decoder; in an aggregated actor of the vision graph too. */
  readonly device: Device;
  readonly threads: number;
  /** Of the pool's first actor, while no other one works. Absent: `threads`. */
  readonly threadsAlone?: number | undefined;
  /** What the actors of this pool tell of themselves, where there are several. */
  readonly board?: PoolBoardMemory | undefined;
  readonly maxRunning: number;
  readonly maxWaiting: number;
  /** Memory for keys and values of sequences, bytes. */
  readonly kvCacheBytes: number;
  /** Memory for keys and values of prompts that may come again, bytes; 0 keeps none. */
  readonly prefixCacheBytes: number;
  /** Memory for what is found out about constraints of answers, bytes. */
  readonly constraintCacheBytes: number;
  /** Prompt tokens between two decode steps. Default: by what is measured. */
  readonly prefillTokensPerStep?: number | undefined;
  /** Who runs long prompts meanwhile, if somebody does. */
  readonly prefill?: PrefillHelp | undefined;
}

export interface PrefillHelp {
  readonly actor: ActorRef<typeof prefillProtocol>;
  /** Threads that PD decodes with while a part is being run. */
  readonly threadsBeside: number;
  /** Whether prompts may be handed over with images in them: their embeddings then leave PD's thread. */
  readonly takesImages: boolean;
}

export interface PrefillArgs {
  readonly directory: ModelDirectory;
  readonly threads: number;
}

export interface AggregatedArgs extends PdArgs {
  /** Most tiles of one run of the vision graph. */
  readonly maxTilesPerRun: number;
}

export const processorActor: Blueprint<typeof processorProtocol, ProcessorArgs> = blueprint(
  processorProtocol,
  import.meta.url,
  './processor/processor-actor',
);

export const encoderActor: Blueprint<typeof encoderProtocol, EncoderArgs> = blueprint(
  encoderProtocol,
  import.meta.url,
  './encoder/encoder-actor',
);

export const pdActor: Blueprint<typeof pdProtocol, PdArgs> = blueprint(
  pdProtocol,
  import.meta.url,
  './pd/pd-actor',
);

export const prefillActor: Blueprint<typeof prefillProtocol, PrefillArgs> = blueprint(
  prefillProtocol,
  import.meta.url,
  './prefill/prefill-actor',
);

/** Speaks the encoder's protocol. */
export const aggregatedActor: Blueprint<typeof encoderProtocol, AggregatedArgs> = blueprint(
  encoderProtocol,
  import.meta.url,
  './aggregated/aggregated-actor',
);
