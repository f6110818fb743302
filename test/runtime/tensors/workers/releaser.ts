/** Releases each tensor that it is sent, and then closes its port. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ArenaHandle, SharedArena } from '../../../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../../../runtime/tensors/shared-tensor.ts';

export interface ReleaserTask {
  readonly handle: ArenaHandle;
  readonly holder: number;
}

const { handle, holder }: ReleaserTask = workerData;
const arena = SharedArena.attach(handle);
parentPort?.once('message', (tensor: SharedTensor) => arena.release(tensor, holder));
