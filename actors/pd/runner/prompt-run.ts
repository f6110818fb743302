/** A prompt on its way through the decoder: what was run of it, and what is left. */
import type { EngineImage } from '../engine-request.ts';
import type { PromptKv } from '../kv-cache/kv-cache.ts';
import { endOfPart } from './prompt-attention-groups.ts';

export interface PromptRunParts {
  readonly ids: Int32Array;
  /** `[axes, ids.length]`, flat; undefined for 0, 1, 2 … */
  readonly positions: Int32Array | undefined;
  /** See `attentionGroups`. */
  readonly groups: Int32Array | undefined;
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
  readonly positions: Int32Array | undefined;
  readonly groups: Int32Array | undefined;
  readonly kv: PromptKv;
  readonly keys: readonly string[];
  readonly cachedTokens: number;
  readonly logits: boolean;
  /** To be called when the images' data is no longer needed. */
  readonly onImagesRead: () => void;
  readonly requestId: string | undefined;
  /** `[ids.length, hidden]`, images merged; once computed, and when the decoder takes embeddings. */
  embeds: Float32Array | undefined;
  /** `[ids.length, hidden]` for each layer that images add to; empty when the images have none. */
  deepstack: readonly Float32Array[] = [];
  /** Set when another actor failed to run a part of it. */
  staysLocal = false;
  /** Image tokens whose embeddings were handed to another actor. */
  imageTokensRemote = 0;
  #images: readonly EngineImage[];

  constructor(parts: PromptRunParts) {
    this.ids = parts.ids;
    this.positions = parts.positions;
    this.groups = parts.groups;
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

  /** Where a part that begins with what is left and was to take `most` tokens ends. */
  partEnd(most: number): number {
    return endOfPart(this.groups, this.done, this.done + Math.min(most, this.left));
  }

  imagesRead(): void {
    this.#images = [];
    this.onImagesRead();
  }
}
