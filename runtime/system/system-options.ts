/** How a system and its pools are made. */
import type { ResourceLimits } from 'node:worker_threads';
import type { Protocol } from '../protocol.ts';
import type { ActorRef } from '../ref/actor-ref.ts';
import type { RoutingPolicyName } from '../routing/routing-policy.ts';
import type { RestartPolicy } from '../supervision/restart-policy.ts';
import type { WatchdogOptions } from '../supervision/watchdog.ts';
import type { ElasticOptions } from './elastic.ts';
import type { SharedMemoryOptions } from './shared-memory.ts';

/** What the actors of a system share, and when they are given up. */
export interface ActorSystemOptions extends SharedMemoryOptions {
  /** How long a stopping actor may finish what it does. Default 10,000 ms. */
  readonly stopGraceMs?: number;
  /** When an actor's thread is taken for hung, ms. Defaults: 15,000 between turns, 60,000 at the start, 120,000 in native code. */
  readonly watchdog?: WatchdogOptions;
}

/** What an actor's thread is given. */
export interface ThreadOptions {
  /** Limits of its heap, MiB, as Node's `Worker` takes them. Default: V8's, and 12 MiB for young objects. */
  readonly resourceLimits?: ResourceLimits;
  /** Its `process.env`. Default: a copy of this thread's. */
  readonly env?: NodeJS.ProcessEnv;
}

/** How far a ref may be ahead of an actor. */
export interface MailboxOptions {
  /** Most messages of one ref and one priority in an actor's mailbox. Default 1,024. */
  readonly messages?: number;
  /** Most bytes of them; a message larger than this may be there alone. Default 64 MiB. */
  readonly bytes?: number;
}

/** Most members of a pool: each is a thread with a heap of its own. */
export const MOST_MEMBERS = 4_096;

/** How a pool of actors is named, sized, routed to and restarted. */
export interface SpawnOptions {
  /** Unique in the system; members are called `name/0`, `name/1`… */
  readonly name: string;
  /** Number of members. Default 1. */
  readonly size?: number;
  /**
   * Lets the pool grow beyond `size` while messages wait, and shrink to it again. A message in a mailbox stays there: where a
   * new member is to take over what waits, keep mailboxes small (`mailbox.messages`), so that it waits at its ref.
   */
  readonly elastic?: ElasticOptions;
  /** How a ref chooses among members with room. Default `least-loaded`. */
  readonly routing?: RoutingPolicyName;
  /** How far each ref may be ahead of each member; what is absent has its default. */
  readonly mailbox?: MailboxOptions;
  /** Messages of one priority that a ref holds back while no mailbox has room; one more fails with `MAILBOX_FULL`. Default 1,024. */
  readonly outbox?: number;
  /** What each member's thread is given. Not for actors on the system's own thread. */
  readonly thread?: ThreadOptions;
  /** What differs from the default restart policy. */
  readonly restart?: Partial<RestartPolicy>;
}

/** A pool that has a name and a ref, and can be started. */
export interface DeclaredPool<P extends Protocol, Args> {
  /** Can be given to others before the pool is started; what they send waits. */
  readonly ref: ActorRef<P>;
  /** Resolves when all members are up; rejects with what a setup threw. To be called once. */
  start(args: Args | ((index: number) => Args)): Promise<void>;
}
