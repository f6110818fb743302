/**
 * What every endpoint that asks a model comes to: one request in the terms of the engine, with what its own kind of answer
 * needs to know of it. Plain data: large bodies are read on a thread of their own.
 */
import type { ChatRequest } from '../../../actors/generation.ts';

/** @typeParam Details of the request that the endpoint's answer shows, or is shaped by */
export interface ServedChat<Details = unknown> {
  readonly chat: ChatRequest;
  /** Name of the model that is to answer. */
  readonly model: string;
  readonly images: number;
  /** Our paths of images and other fields, and where the client wrote them; errors of what lies below follow. */
  readonly clientFields: ReadonlyMap<string, string>;
  readonly stream: boolean;
  /** Whom the client says that it asks for. */
  readonly user: string | undefined;
  readonly details: Details;
}

/** What a request is read with. */
export interface RequestFacts {
  /** The first is served to who names none. */
  readonly modelNames: readonly string[];
  /** Other names are looked for on the Hub. */
  readonly allowPull: boolean;
  readonly maxImages: number;
}
