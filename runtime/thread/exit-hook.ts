/**
 * Closes the gates of this thread's actors when it ends, with the process or alone: `process.exit()`, an error that
 * nobody handles, the natural end. There is one listener, and only while there are actors on threads. A thread that
 * is ended from outside (`worker.terminate()`) runs no hook, nor does a process that a signal ends.
 */
import process from 'node:process';
import type { ExitGate } from './exit-gate.ts';

/** What is longer than that is not waited for: Node then ends the threads as it would have without a hook. */
export const EXIT_PATIENCE_MS = 10_000;

const gates = new Set<ExitGate>();

/** @returns a function that gives the gate up, to be called once its thread is gone */
export function closeAtExit(gate: ExitGate): () => void {
  if (gates.size === 0) process.on('exit', closeAll);
  gates.add(gate);
  return () => {
    gates.delete(gate);
    if (gates.size === 0) process.off('exit', closeAll);
  };
}

function closeAll(): void {
  const until = performance.now() + EXIT_PATIENCE_MS;
  for (const gate of gates) gate.close();
  for (const gate of gates) gate.emptied(until - performance.now());
  // Never reached at a true end. Who emits `exit` by hand, as some libraries do, goes on with an engine that works.
  setImmediate(() => {
    for (const gate of gates) gate.open();
  });
}
