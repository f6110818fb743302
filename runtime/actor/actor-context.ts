/** What the runtime gives an actor to work with. */

import type { Blueprint } from '../blueprint.ts';
import type { DeadLetters } from '../dead-letters.ts';
import type { Protocol } from '../protocol.ts';
import type { ActorRef } from '../ref/actor-ref.ts';
import type { StopReport } from '../system/actor-system.ts';
import type { SpawnOptions } from '../system/system-options.ts';
import type { SharedArena } from '../tensors/arena.ts';
import type { SharedTensorCache } from '../tensors/tensor-cache.ts';
import type { Step, StepLoop } from './step-loop.ts';

/** What an actor has taken on beyond its handlers, such as a running batch. */
export interface ReportedLoad {
  /** Requests in work that no handler is busy with any more. */
  readonly running: number;
  /** Requests that could be taken into work at once. */
  readonly freeSlots: number;
}

/** What an actor knows of itself and can do; given to its `setup`. */
export interface ActorContext<P extends Protocol = Protocol> {
  /**
   * A ref to this very actor, whichever incarnation it is in: to be sent to others. What the actor sends itself waits in its
   * mailbox; an `ask` of a handler that nothing may run beside (`concurrency` 1) would wait for itself.
   */
  readonly self: ActorRef<P>;
  /**
   * What the incarnation before it handed over (`handOver` of its behaviour) when the pool was restarted; undefined at the
   * first start and after a crash.
   */
  readonly inherited: unknown;
  /** `pool/index`. */
  readonly name: string;
  /** Holder id of this incarnation in every arena: what it holds is released when it dies. */
  readonly holder: number;
  /** Where messages that reached nobody are counted, on this thread. */
  readonly deadLetters: DeadLetters;
  /** Aborted when the actor is told to stop: whatever a handler waits for should give up then. */
  readonly stopping: AbortSignal;
  /** An arena that the system was created with. Throws `ARENA_UNKNOWN`. */
  arena(name: string): SharedArena;
  /** A tensor cache that the system was created with. Throws `CACHE_UNKNOWN`. */
  cache(name: string): SharedTensorCache;
  /** Makes a loop, for the actor's whole life, of work that goes on between messages. A step that throws crashes it. */
  loop(step: Step): StepLoop;
  /**
   * Tells the actor itself something after so many ms: a message in its own mailbox. Not before `setup` has returned. Returns
   * what ends it; it ends with the actor. Throws `PROTOCOL_VIOLATION` when the protocol has no such `tell`.
   */
  after(ms: number, method: string, payload?: unknown): () => void;
  /** The same every so many ms. While one still waits in the mailbox, no other joins it. */
  every(ms: number, method: string, payload?: unknown): () => void;
  /**
   * Starts a pool of actors, each on a thread of its own, that lives as long as this incarnation: however that ends, they are
   * stopped, and a next one may spawn them again, in its `setup` for instance. The system supervises them; there they are called
   * by this actor's name and theirs (`pool/0/name`). Resolves when all are up; rejects with what a setup threw, and with
   * `NAME_TAKEN`, `OPTION_INVALID`, `ACTOR_STOPPED` when this actor is told to stop.
   */
  spawn<Q extends Protocol, Args>(
    blueprint: Blueprint<Q, Args>,
    args: Args | ((index: number) => Args),
    options: SpawnOptions,
  ): Promise<ActorRef<Q>>;
  /** Stops a pool that this actor has spawned, by the name it was given. Rejects with `POOL_UNKNOWN`. */
  stopPool(name: string): Promise<StopReport>;
  /** Publishes, for routing by load, what goes on beyond the handlers themselves. */
  reportLoad(load: ReportedLoad): void;
}
