/** Publishes a load from its own thread, busy since before it says so. */
import { parentPort, workerData } from 'node:worker_threads';
import { LoadBoard, type LoadBoardHandle } from '../../../../runtime/board/load-board.ts';

export interface BusyTask {
  readonly handle: LoadBoardHandle;
  readonly slot: number;
}

const { handle, slot }: BusyTask = workerData;
const writer = LoadBoard.attach(handle).writer(slot);
writer.queueDepth(5);
writer.running(2);
writer.freeSlots(6);
writer.beat();
writer.beat();
writer.busy();
parentPort?.postMessage('busy');
