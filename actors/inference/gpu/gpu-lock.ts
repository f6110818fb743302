/** Who owns the GPU: one thread of a process at a time. */
import { isProcessLocked, takeProcessLock, type Unlock } from '../../../runtime/thread/process-lock.ts';

const LOCK = 'troupe.gpu';

/** A predecessor's thread ends before its successor starts; what it leaves to the driver may take a moment. */
const PATIENCE_MS = 5_000;

/** Whether a thread of this process owns the GPU now. */
export function isGpuOwned(): Promise<boolean> {
  return isProcessLocked(LOCK);
}

/** @returns undefined when another thread still has it after `patienceMs` */
export function takeGpu(patienceMs = PATIENCE_MS): Promise<Unlock | undefined> {
  return takeProcessLock(LOCK, patienceMs);
}
