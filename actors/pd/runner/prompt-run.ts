/** A prompt on its way through the decoder: what was run of it, and what is left. */
import type { EngineImage } from '../engine-request.ts';
import type { PromptKv } from '../kv-cache/kv-cache.ts';

export interface PromptRunParts {
  readonly ids: Int32Array;
  readonly images: readonly EngineImage[];
  readonly kv: PromptKv;
  /** Names of its blocks in the prefix cache. */
  readonly keys: readonly string[];
  /** Tokens that the prefix cache had: they are in the `PromptKv`. */
  readonly cachedTokens: number;
  /** Whether logits of the last token are wanted, and not the likeliest one alone. */
  readonly logits: boolean;
  /** Called when the images' data is no longer needed. */
  readonly onImagesRead: () => void;
  /** Whose prompt it is, where that is known. */
  readonly requestId: string | undefined;
}

export class PromptRun {
  readonly ids: Int32Array;
  readonly kv: PromptKv;
  readonly keys: readonly string[];
  readonly cachedTokens: number;
  readonly logits: boolean;
  /** To be called when the images' data is no longer needed. */
  readonly onImagesRead: () => void;
  readonly requestId: string | undefined;
  /** `[ids.length, hidden]`, images merged; once computed, and when the decoder takes embeddings. */
  embeds: Float32Array | undefined;
  /** Set when another actor failed to run a part of it. */
  staysLocal = false;
  /** Image tokens whose embeddings were handed to another actor. */
  imageTokensRemote = 0;
  #images: readonly EngineImage[];

  constructor(parts: PromptRunParts) {
    this.ids = parts.ids;
    this.kv = parts.kv;
    this.keys = parts.keys;
    this.cachedTokens = parts.cachedTokens;
    this.logits = parts.logits;
    this.#images = parts.images;
    this.onImagesRead = parts.onImagesRead;
    this.requestId = parts.requestId;
  }

  /** Images that nobody has read yet. */
  get images(): readonly EngineImage[] {
    return this.#images;
  }

  /** Tokens in the `PromptKv`. */
  get done(): number {
    return this.kv.length;
  }

  get left(): number {
    return this.ids.length - this.done;
  }

  imagesRead(): void {
    this.#images = [];
    this.onImagesRead();
  }
}
