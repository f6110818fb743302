/** What a system tells of its actors' lives. */
import type { DeadLetter } from '../dead-letters.ts';

/** Whom an event is about. */
export interface ActorEvent {
  /** `pool/0` */
  readonly actor: string;
}

/** What `system.events` emits: the life of the actors. A listener gets one object. */
export interface SystemEvents {
  /** An actor can be sent messages. */
  'actor:up': [ActorEvent];
  /** One has ended. */
  'actor:down': [
    ActorEvent & {
      /** What it crashed with; undefined when it was stopped. */
      readonly error: Error | undefined;
    },
  ];
  /** A crashed one is started again after a pause. */
  'actor:restarting': [
    ActorEvent & {
      /** From 1. */
      readonly attempt: number;
      /** Milliseconds. */
      readonly pauseMs: number;
    },
  ];
  /** One crashed too often and was given up. */
  'actor:escalated': [
    ActorEvent & {
      /** What it crashed with the last time. */
      readonly error: Error;
    },
  ];
  /** Its thread has not turned for too long, and is ended or left behind. */
  'actor:hung': [
    ActorEvent & {
      /** The tag of the request that it computed for; 0 when that is not known. */
      readonly work: number;
    },
  ];
  /** One did not stop within its grace, or hung in native code, and was left behind. */
  'actor:quarantined': [ActorEvent];
  /** An elastic pool has grown or shrunk, or could not. */
  'pool:resized': [
    {
      /** Its name. */
      readonly pool: string;
      /** Its members now. */
      readonly size: number;
      /** Why it could not. */
      readonly error: Error | undefined;
    },
  ];
  /** A message reached nobody. */
  'dead-letter': [DeadLetter];
}
