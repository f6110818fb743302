/** A request as every side of a comparison gets it: a conversation, with images by path. */
import type { ChatOptions } from '../../src/index.ts';

export type Part =
  | { readonly type: 'image'; readonly image: string }
  | { readonly type: 'text'; readonly text: string };

export interface PeerMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: readonly Part[];
}

export interface PeerRequest {
  readonly messages: readonly PeerMessage[];
  readonly maxTokens: number;
}

/** How a peer is asked several requests: all calls at once, one after the other, or as one static batch. */
export type Order = 'together' | 'in-turn' | 'batch';

export interface PeerTask {
  readonly requests: readonly PeerRequest[];
  readonly order: Order;
}

export interface PeerAnswer {
  /** From the first request to the last answer. */
  readonly ms: number;
  readonly texts: readonly string[];
  /** Generated tokens of all answers. */
  readonly tokens: number;
  /** Of all prompts, image tokens included. */
  readonly promptTokens: number;
}

export function userRequest(parts: readonly Part[], maxTokens: number): PeerRequest {
  return { messages: [{ role: 'user', content: parts }], maxTokens };
}

/** The same request for Troupe, greedy. */
export function toChatOptions({ messages, maxTokens }: PeerRequest): ChatOptions {
  return { messages, maxTokens, temperature: 0 };
}
