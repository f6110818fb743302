/**
 * What an actor's setup leaves behind, collected once. Files that were read, parsed and turned into tables are soon most of
 * a thread's heap; V8 lets them lie until the heap has grown as much again. Smaller heaps are left alone, so that actors that set little up start as fast as before.
 */
import { Session } from 'node:inspector/promises';
import { getHeapStatistics } from 'node:v8';

/** Bytes of a heap that may hold so much garbage; Node and the runtime alone take some 10 MB of it. */
const WORTH_COLLECTING_BYTES = 32 * 1024 * 1024;

/** @returns whether it was collected: not where the heap is small, nor where Node's permissions forbid it */
export async function collectSetupGarbage(worthBytes = WORTH_COLLECTING_BYTES): Promise<boolean> {
  if (getHeapStatistics().total_heap_size < worthBytes) return false;
  const session = new Session();
  try {
    session.connect();
    await session.post('HeapProfiler.collectGarbage');
    return true;
  } catch {
    return false;
  } finally {
    session.disconnect();
  }
}
