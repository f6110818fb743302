/** An actor that does whatever a test needs: answers, waits, fails, crashes, streams, forwards. */
import { type Blueprint, blueprint } from '../../../runtime/blueprint.ts';
import { ask, protocol, stream, tell } from '../../../runtime/protocol.ts';
import type { ActorRef } from '../../../runtime/ref/actor-ref.ts';
import type { SpawnOptions } from '../../../runtime/system/system-options.ts';
import type { SharedTensor } from '../../../runtime/tensors/shared-tensor.ts';
import type { GateCells } from '../support/gate.ts';

export const probeProtocol = protocol('probe', {
  note: tell<string>(),
  notes: ask<void, readonly string[]>(),
  echo: ask<unknown, unknown>(),
  threadId: ask<void, number>(),
  /** MiB that its thread may use for young objects. */
  youngGeneration: ask<void, number | undefined>(),
  fail: ask<'declared' | 'defect' | 'wordless' | 'wordless later' | 'hidden', void>(),
  /** Answers with what throws, when it is read, what cannot be made text. */
  unreadable: ask<void, unknown>(),
  /** Blocks the thread at a gate, so that a test decides when the handler ends. */
  block: ask<GateCells, void>(),
  /** Touches a gate, if it is given one, and waits to be interrupted; answers with the reason. */
  hang: ask<GateCells | undefined, string>(),
  crash: ask<void, void>(),
  /** Ends its own thread, as if that were all right. */
  exit: ask<void, void>(),
  /** Throws a RangeError. */
  failTold: tell<string>(),
  /** Touches a gate and does not come back. */
  hangTold: tell<GateCells>(),
  /** Answers with so many bytes, moved or cloned; what is left of them here is asked for with `kept`. */
  make: ask<{ readonly bytes: number; readonly moved: boolean }, ArrayBuffer>(),
  /** Streams such buffers; the last one is the final value. */
  makeMany: stream<{ readonly bytes: number; readonly count: number }, ArrayBuffer, ArrayBuffer>(),
  /** Bytes of the last buffer that was made and sent. */
  kept: ask<void, number>(),
  /** Answers at once and never ends the stream. */
  neverEnd: stream<void, number, void>(),
  /** Hands such a stream over to another actor. */
  relayNeverEnd: stream<ProbeRef, number, void>(),
  /** Reads such a stream of another actor, touches a gate when it has begun; answers with what that died of. */
  readNeverEnd: ask<{ readonly from: ProbeRef; readonly cells: GateCells }, unknown>(),
  /** Tries to end the stream with what cannot be cloned, then fails it with what that threw. */
  endBadly: stream<void, number, unknown>(),
  /** Streams what it is given, and ends with it. */
  say: stream<unknown, unknown, unknown>(),
  /** Tells itself `note`, touches a gate, and waits until it is stopped. */
  tellSelf: ask<GateCells, void>(),
  /** Tells itself `hangTold`. */
  hangSelf: ask<GateCells, void>(),
  /** Notes a text after so many ms, or every so many ms, `every`; `end` ends what was begun last. */
  noteLater: ask<{ readonly ms: number; readonly text: string; readonly every: boolean }, void>(),
  endTimer: ask<void, void>(),
  /** Begins a timer for a method that is no `tell`. */
  badTimer: ask<void, void>(),
  environment: ask<string, string | undefined>(),
  /** Answers with whether it could. */
  collectGarbage: ask<void, boolean>(),
  /** Touches a gate and computes for ever, for a request. */
  spin: ask<{ readonly gate: GateCells; readonly requestId: string }, void>(),
  /** Blocks at a gate as a library's native code would. */
  native: ask<GateCells, void>(),
  /** Computes for ever, after it has called native code as a library does, which begins it in a later turn. */
  spinBeforeNative: ask<void, void>(),
  /** Streams one number, then blocks at a gate in native code, with the stream open. */
  streamThenBlock: stream<GateCells, number, void>(),
  /** Hands such a stream over to another actor. */
  relayBlock: stream<{ readonly to: ProbeRef; readonly cells: GateCells }, number, void>(),
  /** Reads such a stream of another actor; answers with the code that it failed with. */
  readBlocked: ask<{ readonly from: ProbeRef; readonly cells: GateCells }, string>(),
  count: stream<number, number, string>(),
  /** Writes until interrupted, then notes the reason. */
  endless: stream<void, number, void>(),
  /** Hands the stream over to another actor. */
  relay: stream<
    {
      readonly to: ProbeRef;
      readonly upTo: number;
      readonly deadlineMs?: number;
      /** It gives up the hand-over when it is stopped itself. */
      readonly untilStopped?: boolean;
    },
    number,
    string
  >(),
  askOther: ask<{ readonly other: ProbeRef; readonly value: unknown }, unknown>(),
  keepFriend: ask<ProbeRef, void>(),
  askFriend: ask<unknown, unknown>(),
  /** Sets a cell of shared memory and wakes who waits for it. */
  raise: tell<Int32Array<SharedArrayBuffer>>(),
  raiseThroughFriend: tell<Int32Array<SharedArrayBuffer>>(),
  /** Allocates a tensor of so many floats in the arena `memory` and keeps it. */
  hold: ask<number, SharedTensor>(),
  /** Hangs in the middle of a change to the tables of the arena `memory`, with their lock. */
  hangInLock: ask<GateCells, void>(),
  /** The trace that the message belongs to. */
  trace: ask<unknown, string | undefined>(),
  /** Answers with its ref to itself. */
  self: ask<void, ProbeRef>(),
  name: ask<void, string>(),
  /** What the incarnation before handed over. */
  inherited: ask<void, unknown>(),
  /** Spawns such actors, as a pool of its own, and answers with their ref. */
  hire: ask<Hire, ProbeRef>(),
  /** Stops such a pool. */
  dismiss: ask<string, void>(),
  /** Answers with a ref. */
  giveRef: ask<ProbeRef, ProbeRef>(),
});

/** An interface, since the protocol mentions refs to itself. */
export interface ProbeRef extends ActorRef<typeof probeProtocol> {}

/** A pool that an actor spawns. */
export interface Hire extends SpawnOptions {
  readonly args?: ProbeArgs;
}

export interface ProbeArgs {
  /** A pool that it spawns as it starts, and keeps as its friend. */
  readonly hires?: string;
  /** What it answers `inherited` with, if it has inherited nothing. */
  readonly label?: string;
  /** It hands over its notes and the ref it keeps; or fails to. */
  readonly handsOver?: 'notes' | 'badly';
  /** Setup throws this message for the first so many starts, counted in the shared cell. */
  readonly failStarts?: { readonly cell: Int32Array<SharedArrayBuffer>; readonly from: number };
  /** The same, and computes for ever. */
  readonly spinStarts?: { readonly cell: Int32Array<SharedArrayBuffer>; readonly from: number };
}

export const probeActor: Blueprint<typeof probeProtocol, ProbeArgs> = blueprint(
  probeProtocol,
  import.meta.url,
  './probe-actor',
);
