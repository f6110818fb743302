/**
 * Cuts a client off that does not take its answer. Node's own timer of a socket starts anew with each write and with
 * each part of one that the client takes; when it ends while the engine is still at work, nobody is at fault.
 */
import type { ServerResponse } from 'node:http';
import { timerMs } from '../../../runtime/util/timers.ts';

export function guardAgainstStall(response: ServerResponse, stallMs: number): void {
  const timeoutMs = timerMs(stallMs);
  response.setTimeout(timeoutMs, () => {
    const untaken = response.writableLength + (response.socket?.writableLength ?? 0);
    if (untaken > 0) response.destroy();
    else response.setTimeout(timeoutMs);
  });
}
