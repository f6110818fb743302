/** What becomes of the threads that this one makes, in order. */
import type { Worker } from 'node:worker_threads';

/** What happened, and to which thread: 1 is the first that was made. */
export type ThreadEvent = readonly [event: 'makes' | 'runs' | 'ended', thread: number];

/** Begins a record. `end` ends it, and says what is in it. */
export function recordThreads(): { end(): readonly ThreadEvent[] } {
  const events: ThreadEvent[] = [];
  let threads = 0;
  const onWorker = (worker: Worker) => {
    threads += 1;
    const thread = threads;
    events.push(['makes', thread]);
    worker.once('online', () => events.push(['runs', thread]));
    worker.once('exit', () => events.push(['ended', thread]));
  };
  process.on('worker', onWorker);
  return {
    end() {
      process.off('worker', onWorker);
      return events;
    },
  };
}
