/** What an actor is made of: the handlers of its protocol and the hooks that the runtime calls. */
import type { Blueprint } from '../blueprint.ts';
import type { ChunkOf, FinalOf, Protocol, RequestOf, ResponseOf } from '../protocol.ts';
import type { StreamWriter } from '../stream/stream-writer.ts';
import type { ActorContext } from './actor-context.ts';

/** What a handler knows of the call that it answers. */
export interface CallContext {
  /** Aborted when the caller stops waiting. For a stream, until the handler is done; then use the writer's. */
  readonly signal: AbortSignal;
  /** The trace that the message belongs to (W3C Trace Context), where its sender gave one. */
  readonly traceparent: string | undefined;
}

/** One handler a method. What a handler throws goes to the caller: a `TroupeError` as it is, others as `DEFECT`. */
export type Handlers<P extends Protocol> = {
  readonly [M in keyof P['methods'] & string]: P['methods'][M]['kind'] extends 'tell'
    ? (message: RequestOf<P, M>, call: CallContext) => void | Promise<void>
    : P['methods'][M]['kind'] extends 'ask'
      ? (request: RequestOf<P, M>, call: CallContext) => ResponseOf<P, M> | Promise<ResponseOf<P, M>>
      : (
          request: RequestOf<P, M>,
          writer: StreamWriter<ChunkOf<P, M>, FinalOf<P, M>>,
          call: CallContext,
        ) => void | Promise<void>;
};

/** Cloneable facts about an actor. */
export type ActorStats = Readonly<Record<string, unknown>>;

/** What a `setup` gives back: the actor as the runtime drives it. */
export interface Behaviour<P extends Protocol> {
  /** One for each method of the protocol. */
  readonly handlers: Handlers<P>;
  /** Called on the control lane, between steps. */
  stats?(): ActorStats;
  /** Named out-of-band operations, called on the control lane, between steps. */
  readonly control?: Readonly<Record<string, () => unknown>>;
  /**
   * When its pool is restarted, after the last handler and the last step: what the next incarnation is to have, any payload;
   * it finds it in `context.inherited`. What `transfer` marked in it is moved. Not called when the actor crashes, hangs, or
   * is stopped for good. If it throws, the next incarnation inherits nothing, and `restartPool` rejects with what it threw.
   */
  handOver?(): unknown;
  /** Releases what the actor holds. Called once, after the last handler and the last step. */
  stop?(): void | Promise<void>;
}

/** An actor, as its module declares it: which blueprint it implements, and how it is set up. */
export interface ActorDefinition<P extends Protocol, Args> {
  /** The blueprint that others spawn it by. */
  readonly blueprint: Blueprint<P, Args>;
  /** Handlers that may be in progress at once. Default 1; more only suits handlers that mostly wait. */
  readonly concurrency?: number | ((args: Args) => number);
  /**
   * Makes one incarnation, on the actor's thread, from its arguments; again after each crash. What it throws at the
   * first start rejects `spawn`.
   */
  setup(args: Args, context: ActorContext<P>): Behaviour<P> | Promise<Behaviour<P>>;
}

/**
 * Makes the default export of an actor's module.
 *
 * @example
 * ```ts
 * import { ask, blueprint, defineActor, protocol } from 'troupe/runtime';
 *
 * const counting = protocol('counter', { add: ask<number, number>() });
 * const counter = blueprint<typeof counting, { start: number }>(counting, import.meta.url, './counter-actor');
 *
 * export default defineActor({
 *   blueprint: counter,
 *   setup({ start }) {
 *     let total = start;
 *     return { handlers: { add: (n) => (total += n) } };
 *   },
 * });
 * ```
 */
export function defineActor<P extends Protocol, Args>(
  definition: ActorDefinition<P, Args>,
): ActorDefinition<P, Args> {
  return definition;
}
