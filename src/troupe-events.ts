/** What an engine tells of its actors and requests. */
import type { FileChange } from '../actors/model/file-stamps.ts';
import type { TroupeError } from '../runtime/errors.ts';
import type { SystemEvents } from '../runtime/system/system-events.ts';
import type { ChatResult } from './chat-types.ts';

/** Which request an event is about. */
export interface RequestEvent {
  /** A UUID, made when the request is submitted. */
  readonly requestId: string;
}

/**
 * What `troupe.events` emits: the life of actors, as the runtime tells it, and of requests. A listener gets one
 * object.
 */
export interface TroupeEvents extends SystemEvents {
  /**
   * A file of the model is not what it was. Written to `inPlace`, it spoils what runs: the engine takes no more requests.
   * Otherwise another lies in its place: actors go on with what they have, and one that crashes cannot be restarted.
   */
  'model:changed': [FileChange];
  /** A request was submitted. */
  'request:start': [RequestEvent];
  /** It lost its actor before the first token and is tried again. */
  'request:retry': [
    RequestEvent & {
      /** From 1. */
      readonly attempt: number;
      /** What it failed with. */
      readonly error: TroupeError;
    },
  ];
  /** It ended, with a result or an error. */
  'request:end': [
    RequestEvent & {
      /** The answer. */
      readonly result?: ChatResult;
      /** Why there is none. */
      readonly error?: unknown;
    },
  ];
}
