/** Runs of graphs that are made for one request alone: if one never comes back, that request is to blame. */
import { workingOn } from '../../runtime/thread/this-thread.ts';

/**
 * @param requestId undefined when the run is made for several, of which nobody knows who is to blame
 * @param run begins the run before its first await
 */
export function runFor<T>(requestId: string | undefined, run: () => T): T {
  return requestId === undefined ? run() : workingOn(requestId, run);
}
