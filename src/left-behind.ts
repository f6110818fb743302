/**
 * Whether threads of this process hang in native code, where they cannot be ended. Node waits for every thread when a process
 * ends, so such a process has to be ended by a signal. A start that fails has no engine that could be asked.
 */
let left = false;

/** @param threads as the end of a system has counted them */
export function noteLeftBehind(threads: number): void {
  if (threads > 0) left = true;
}

export function areThreadsLeftBehind(): boolean {
  return left;
}
