/** The first module of an actor's thread: loads the actor's own module and puts it under remote control. */
import { workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { ActorCell, type AnyActor } from '../actor/actor-cell.ts';
import { LoadBoard } from '../board/load-board.ts';
import { DeadLetters } from '../dead-letters.ts';
import { ActorError, TroupeError } from '../errors.ts';
import { createRefEnvironment } from '../ref/environment.ts';
import { SharedArena } from '../tensors/arena.ts';
import { SharedTensorCache, type TensorCacheHandle } from '../tensors/tensor-cache.ts';
import { attachPulse } from './this-thread.ts';
import { outcomeOf, type ThreadBoot, type ThreadControl } from './thread-control.ts';

/** Between two signs of life, ms. */
const MOST_PULSE_MS = 500;

const boot = workerData as ThreadBoot; // written by ThreadIncarnation
const board = LoadBoard.attach(boot.board);
const pulse = board.pulse(boot.boardSlot, boot.limits, () => process.exit(0));
attachPulse(pulse);
/** Often enough for the shortest limit; it keeps nothing alive. */
setInterval(() => pulse.turn(), Math.min(MOST_PULSE_MS, boot.limits.turnMs / 16)).unref();
const deadLetters = new DeadLetters();
deadLetters.subscribe((letter) => boot.letters.postMessage(letter));
boot.letters.unref();

const environment = createRefEnvironment(board, deadLetters);
let cell: ActorCell | undefined;

const control: ThreadControl = {
  start: () =>
    outcomeOf(async () => {
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
        crash,
      });
      pulse.ready();
    }),
  connect: (token) => started().connect(token),
  stats: () => outcomeOf(() => started().stats()),
  control: (operation) => outcomeOf(() => started().control(operation)),
  stop: async () => {
    const outcome = await outcomeOf(async () => cell?.stop());
    // Nothing runs any more, native code included, so this ends the thread cleanly once the answer has left.
    setImmediate(() => process.exit(0));
    return outcome;
  },
  lost: (holder) => environment.readers.lost(holder),
  crash: (reason) => crash(new Error(reason)),
};

expose(control, nodeEndpoint(boot.control));

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
