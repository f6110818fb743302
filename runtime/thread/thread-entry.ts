/** The first module of an actor's thread: loads the actor's own module and puts it under remote control. */
import { getHeapStatistics } from 'node:v8';
import { workerData } from 'node:worker_threads';
import { ActorCell, type AnyActor } from '../actor/actor-cell.ts';
import type { ActorStats } from '../actor/behaviour.ts';
import { LoadBoard } from '../board/load-board.ts';
import { DeadLetters } from '../dead-letters.ts';
import { ActorError, diedError, stoppedError, TroupeError } from '../errors.ts';
import { createRefEnvironment } from '../ref/environment.ts';
import { lazily } from '../ref/own-ref.ts';
import type { Waiting } from '../supervision/incarnation.ts';
import { SharedArena } from '../tensors/arena.ts';
import { SharedTensorCache, type TensorCacheHandle } from '../tensors/tensor-cache.ts';
import { flushAll } from '../transport/departures.ts';
import { MessagePortTransport } from '../transport/message-port.ts';
import { decodeError } from '../wire/error-codec.ts';
import { takeTransfer } from '../wire/moved.ts';
import { decodePayload, type EncodedPayload, encodePayload } from '../wire/payload-codec.ts';
import { serveControl } from './control-server.ts';
import { ExitGate, setOwnExitGate } from './exit-gate.ts';
import { collectSetupGarbage } from './setup-garbage.ts';
import { attachPulse } from './this-thread.ts';
import {
  type ControlOrder,
  type ControlQuestion,
  type Outcome,
  outcomeOf,
  type ThreadBoot,
} from './thread-control.ts';

/** Between two signs of life, ms. */
const MOST_PULSE_MS = 500;

const boot = workerData as ThreadBoot; // written by ThreadIncarnation
const board = LoadBoard.attach(boot.board);
const pulse = board.pulse(boot.boardSlot, boot.limits, () => process.exit(0));
attachPulse(pulse);
let failure: unknown;
let isStopped = false;
process.on('uncaughtExceptionMonitor', (error) => {
  failure = error;
});
/** What was answered has been answered, also where the thread dies of what it does next. */
process.on('exit', (code) => {
  const isOrderly = isStopped && failure === undefined;
  const why = isOrderly
    ? stoppedError(boot.name)
    : diedError(boot.name, failure ?? new Error(`exit code ${code}`));
  cell?.die(why);
  environment.die(boot.name, why);
  flushAll();
});
/** Often enough for the shortest limit; it keeps nothing alive. */
setInterval(() => pulse.turn(), Math.min(MOST_PULSE_MS, boot.limits.turnMs / 16)).unref();
const deadLetters = new DeadLetters();
deadLetters.subscribe((letter) => boot.letters.postMessage(letter));
boot.letters.unref();

const environment = createRefEnvironment(board, deadLetters);
let cell: ActorCell | undefined;

setOwnExitGate(ExitGate.attach(boot.exitGate));
serveControl(boot.control, { answer, obey });

function answer(question: ControlQuestion): Promise<Outcome<unknown>> {
  switch (question.ask) {
    case 'start':
      return outcomeOf(start);
    case 'stats':
      return outcomeOf(() => ({ ...threadStats(), ...started().stats() }));
    case 'retire':
      return outcomeOf(retire);
    case 'control':
      return outcomeOf(() => started().control(question.operation));
    case 'stop':
      return outcomeOf(() => cell?.stop(question.waiting));
  }
}

let utilization = performance.eventLoopUtilization();

/** Of the thread, and of the time since it was asked last: the part in which its event loop was busy. */
function threadStats(): ActorStats {
  const now = performance.eventLoopUtilization();
  const busy = performance.eventLoopUtilization(now, utilization).utilization;
  utilization = now;
  const { used_heap_size: heapBytes } = getHeapStatistics();
  return { heapBytes, eventLoopUtilization: busy };
}

function obey(order: ControlOrder): void {
  switch (order.order) {
    case 'connect':
      started().connect(order.token);
      break;
    case 'other over':
      environment.readers.over(order.holder, decodeError(order.why), order.isLeft);
      break;
    case 'stop':
      void stop(order.waiting);
      break;
    case 'crash':
      crash(new Error(order.reason));
  }
}

async function start(): Promise<void> {
  const arenas = new Map(boot.arenas.map((handle) => [handle.name, SharedArena.attach(handle)]));
  const module = (await import(boot.module)) as { default: AnyActor }; // the blueprint's contract
  cell = await ActorCell.start(module.default, boot.args, {
    name: boot.name,
    holder: boot.holder,
    load: board.writer(boot.boardSlot),
    deadLetters,
    arenas,
    caches: new Map(boot.caches.map((handle) => [handle.name, attachCache(handle, arenas)])),
    revive: environment.revive,
    self: lazily(() => boot.self, environment),
    children: lazily(() => boot.children, environment),
    inherited: decodePayload(boot.inherited.payload, boot.inherited.travellers, environment.revive),
    crash,
  });
  await collectSetupGarbage();
  pulse.ready();
}

async function retire(): Promise<EncodedPayload> {
  const state = await started().retire();
  const moved = takeTransfer(state);
  const [over] = MessagePortTransport.pair();
  const encoded = encodePayload(state, over);
  over.close();
  return { ...encoded, transfer: [...moved, ...encoded.transfer] };
}

/** What the actor's own end throws is what the thread dies of, so it is seen. */
async function stop(waiting: Waiting): Promise<void> {
  isStopped = true;
  try {
    await cell?.stop(waiting);
  } finally {
    // Nothing runs any more, native code included, so this ends the thread cleanly once what was posted has left.
    setImmediate(() => process.exit(0));
  }
}

function started(): ActorCell {
  if (cell === undefined)
    throw new ActorError(`${boot.name} has not started`, { code: 'PROTOCOL_VIOLATION' });
  return cell;
}

function attachCache(handle: TensorCacheHandle, arenas: ReadonlyMap<string, SharedArena>): SharedTensorCache {
  const arena = arenas.get(handle.arena);
  if (arena !== undefined) return SharedTensorCache.attach(handle, arena);
  throw new TroupeError(`there is no arena "${handle.arena}"`, { code: 'ARENA_UNKNOWN' });
}

/** Outside of any promise, so that it ends the thread and reaches the supervisor. */
function crash(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
