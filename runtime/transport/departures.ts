/**
 * Ports of this thread that hold messages back until the turn of the event loop ends, so that many leave as one. Whoever
 * is about to keep the thread busy lets them go first.
 */
export interface HoldsBack {
  flush(): void;
}

/** Each once: a port asks again only when it was flushed. No Set: one that is emptied each turn is a burden to the collector. */
const waiting: HoldsBack[] = [];
let scheduled = false;

/** The port is flushed when the code that runs now gives way. To be asked for once until then. */
export function flushAtTurnsEnd(port: HoldsBack): void {
  waiting.push(port);
  if (scheduled) return;
  scheduled = true;
  process.nextTick(flushAll);
}

/** Lets everything go that this thread's ports hold back. */
export function flushAll(): void {
  scheduled = false;
  for (const port of waiting) port.flush();
  waiting.length = 0;
}
