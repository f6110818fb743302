/**
 * What the two sides of an actor's thread share: how it is booted, and the control plane, which has a port of its own
 * (`control-client.ts`, `control-server.ts`). A question is answered by an explicit outcome, or by the thread's exit;
 * an order is not answered: what becomes of it is seen elsewhere.
 */
import type { MessagePort } from 'node:worker_threads';
import type { EncodedArgs } from '../actor/actor-cell.ts';
import type { ActorStats } from '../actor/behaviour.ts';
import type { LoadBoardHandle } from '../board/load-board.ts';
import type { PulseLimits } from '../board/pulse.ts';
import type { OwnRefToken } from '../ref/own-ref.ts';
import type { Waiting } from '../supervision/incarnation.ts';
import type { ArenaHandle } from '../tensors/arena.ts';
import type { TensorCacheHandle } from '../tensors/tensor-cache.ts';
import { decodeError, encodeError, type WireError } from '../wire/error-codec.ts';
import type { ChannelToken } from '../wire/messages.ts';
import type { EncodedPayload } from '../wire/payload-codec.ts';
import type { ExitGateHandle } from './exit-gate.ts';

export interface ThreadBoot {
  readonly name: string;
  readonly module: string;
  readonly args: EncodedArgs;
  readonly holder: number;
  readonly boardSlot: number;
  readonly limits: PulseLimits;
  readonly board: LoadBoardHandle;
  readonly arenas: readonly ArenaHandle[];
  readonly caches: readonly TensorCacheHandle[];
  /** From which its ref to itself is made. */
  readonly self: OwnRefToken;
  /** And that to who spawns for it. */
  readonly children: OwnRefToken;
  /** What the incarnation before handed over. */
  readonly inherited: EncodedArgs;
  readonly exitGate: ExitGateHandle;
  readonly control: MessagePort;
  /** Dead letters, to the system. */
  readonly letters: MessagePort;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };

export type ControlQuestion =
  | { readonly ask: 'start' }
  | { readonly ask: 'stats' }
  /** To end what is in progress, before a stop. */
  | { readonly ask: 'retire' }
  /** Cooperative; the thread stays until it is given the order. */
  | { readonly ask: 'stop'; readonly waiting: Waiting }
  | { readonly ask: 'control'; readonly operation: string };

/** What a question is answered with. */
export interface ControlResults {
  readonly start: undefined;
  readonly stats: ActorStats;
  readonly control: unknown;
  /** What the next incarnation is to have. */
  readonly retire: EncodedPayload;
  readonly stop: undefined;
}

export type ControlOrder =
  | { readonly order: 'connect'; readonly token: ChannelToken }
  /** Whoever holds by this id is over, and so are the streams that it writes. */
  | {
      readonly order: 'other over';
      readonly holder: number;
      readonly why: WireError;
      /** Their ports will not close. */
      readonly isLeft: boolean;
    }
  /** Cooperative; the thread exits when it is done. */
  | { readonly order: 'stop'; readonly waiting: Waiting }
  /** Throws an error that nobody handles, as a fault drill. */
  | { readonly order: 'crash'; readonly reason: string };

export interface AskedQuestion {
  readonly id: number;
  readonly question: ControlQuestion;
}

export type ControlMessage = AskedQuestion | ControlOrder;

export interface ControlAnswer {
  readonly id: number;
  readonly outcome: Outcome<unknown>;
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
