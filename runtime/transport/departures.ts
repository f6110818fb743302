/**
 * Ports of this thread that hold messages back until the turn of the event loop ends, so that many leave as one. Whoever
 * is about to keep the thread busy lets them go first.
 */
export interface HoldsBack {
  flush(): void;
}

const waiting = new Set<HoldsBack>();
let scheduled = false;

/** The port is flushed when the code that runs now gives way. */
export function flushAtTurnsEnd(port: HoldsBack): void {
  waiting.add(port);
  if (scheduled) return;
  scheduled = true;
  process.nextTick(flushAll);
}

/** Lets everything go that this thread's ports hold back. */
export function flushAll(): void {
  scheduled = false;
  if (waiting.size === 0) return;
  for (const port of waiting) port.flush();
  waiting.clear();
}
