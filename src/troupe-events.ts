/** What an engine tells of its actors and requests. */
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
