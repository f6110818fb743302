/**
 * What the two sides of an actor's thread share: how it is booted and the control plane (a comlink interface
 * on a port of its own). comlink flattens errors and never settles a call to a dead thread, so every answer is
 * an explicit outcome and every call is raced against the thread's exit (see `thread-incarnation.ts`).
 */
import type { MessagePort } from 'node:worker_threads';
import type { ActorStats } from '../actor/behaviour.ts';
import type { LoadBoardHandle } from '../board/load-board.ts';
import type { PulseLimits } from '../board/pulse.ts';
import type { ArenaHandle } from '../tensors/arena.ts';
import type { TensorCacheHandle } from '../tensors/tensor-cache.ts';
import { decodeError, encodeError, type WireError } from '../wire/error-codec.ts';
import type { ChannelToken } from '../wire/messages.ts';

export interface ThreadBoot {
  readonly name: string;
  readonly module: string;
  readonly args: unknown;
  readonly holder: number;
  readonly boardSlot: number;
  readonly limits: PulseLimits;
  readonly board: LoadBoardHandle;
  readonly arenas: readonly ArenaHandle[];
  readonly caches: readonly TensorCacheHandle[];
  readonly control: MessagePort;
  /** Dead letters, to the system. */
  readonly letters: MessagePort;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };

export interface ThreadControl {
  start(): Promise<Outcome<void>>;
  connect(token: ChannelToken): void;
  stats(): Promise<Outcome<ActorStats>>;
  control(operation: string): Promise<Outcome<unknown>>;
  stop(): Promise<Outcome<void>>;
  /** Whoever holds by this id was left behind: streams that it writes are over. */
  lost(holder: number): void;
  /** Throws an error that nobody handles, as a fault drill. */
  crash(reason: string): void;
}

export async function outcomeOf<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: encodeError(error) };
  }
}

export function unwrap<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw decodeError(outcome.error);
}
