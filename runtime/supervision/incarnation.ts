/** One life of an actor, from start to exit, as its supervisor sees it. */
import type { ActorStats } from '../actor/behaviour.ts';
import type { UnderWay } from '../channel/under-way.ts';
import type { ChannelToken } from '../wire/messages.ts';

export type Exit =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'crashed'; readonly error: Error }
  /** It hangs inside native code: its thread is still there, and holds what it held. */
  | { readonly kind: 'left'; readonly error: Error };

/**
 * What becomes of the messages in the mailbox of an actor that stops: they fail, or they go back to who sent them, as after
 * a crash, to be served by another member or the next incarnation.
 */
export type Waiting = 'refused' | 'served elsewhere';

export interface Incarnation {
  readonly holder: number;
  readonly boardSlot: number;
  /** Messages that were sent to it and that its thread has not taken. */
  readonly underWay: UnderWay;
  /** Of the thread it has to itself; undefined when it shares the system's. */
  readonly threadId: number | undefined;
  /** Its thread runs, or is over. */
  readonly begun: Promise<void>;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** It has stopped, and nothing of it is left but its thread; or it is over. */
  readonly quiet: Promise<void>;
  /** Nothing of it runs any more: with `exited`, unless it was left behind. */
  readonly ended: Promise<void>;
  /** Rejects with what the actor's setup threw, or `ACTOR_DIED`. */
  start(): Promise<void>;
  connect(token: ChannelToken): void;
  stats(): Promise<ActorStats>;
  control(operation: string): Promise<unknown>;
  /** Ends what is in progress; what waits is served elsewhere. Resolves with what the actor hands over; a stop follows. */
  retire(): Promise<unknown>;
  /**
   * Asks for a cooperative stop. Resolves when the actor has ended.
   * @param mayEnd what its thread waits for when the actor has stopped; it has to come within the grace
   */
  stop(waiting: Waiting, mayEnd?: Promise<void>): Promise<void>;
  /** Gives up on an actor that does not stop: its thread is ended where that is safe, and keeps no process alive. */
  abandon(): void;
  /** Another one is over, and so are the streams that it writes. @param isLeft their ports will not close */
  otherOver(holder: number, why: Error, isLeft: boolean): void;
  /** Makes the actor throw an error that nobody handles. */
  crash(reason: string): void;
}
