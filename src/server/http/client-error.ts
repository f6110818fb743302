/** A connection whose request could not even be read: too slow, too long a head, or no HTTP at all. */
import type { Duplex } from 'node:stream';
import { rawError } from './raw-error.ts';

const STATUS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

export function onClientError(error: Error & { readonly code?: string }, socket: Duplex): void {
  // A client that has gone needs no answer.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(rawError(STATUS[error.code ?? ''] ?? 400, 'invalid_http'));
}
