/** Waits for room and has nothing else to do. Says when it waits, and what it got. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ArenaHandle, SharedArena } from '../../../../runtime/tensors/arena.ts';

export interface WaiterTask {
  readonly handle: ArenaHandle;
  readonly bytes: number;
  readonly holder: number;
}

const { handle, bytes, holder }: WaiterTask = workerData;
const allocation = SharedArena.attach(handle).allocate('uint8', [bytes], holder);
parentPort?.postMessage('waiting');
const tensor = await allocation;
parentPort?.postMessage(tensor);
