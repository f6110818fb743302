/**
 * Cuts a client off that does not take its answer. The time runs while there is something to take and nothing is taken;
 * waiting for the engine does not count.
 */
import type { ServerResponse } from 'node:http';

/** How often progress is looked for in one timeout. */
const LOOKS = 4;

export function guardAgainstStall(response: ServerResponse, timeoutMs: number): void {
  let taken = 0;
  let since = performance.now();
  const look = () => {
    const { socket } = response;
    const now = performance.now();
    const sent = socket?.bytesWritten ?? 0;
    // `bytesWritten` counts what is still buffered too.
    const progress = sent - (socket?.writableLength ?? 0);
    const waiting = (socket?.writableLength ?? 0) + response.writableLength > 0;
    if (!waiting || progress > taken) since = now;
    taken = progress;
    if (now - since >= timeoutMs) response.destroy();
  };
  const timer = setInterval(look, Math.max(1, timeoutMs / LOOKS)).unref();
  response.once('close', () => clearInterval(timer));
}
