/**
 * What becomes of a connection whose request has a body that nobody wants. A small one is read past, so that the client
 * gets its answer and the connection lives on. Behind a large one, or one of unknown length, the connection is closed:
 * a client that is still sending may then lose the answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

const MAX_READ_PAST_BYTES = 1024 * 1024;

/** @returns to be called once the body has been read to its end: the connection then lives on as asked for */
export function closeUnlessRead({ headers }: IncomingMessage, response: ServerResponse): () => void {
  // A client that waits to be asked for its body may send it or not: what comes next could be either.
  const unknown = headers['transfer-encoding'] !== undefined || headers.expect !== undefined;
  if (!unknown && Number(headers['content-length'] ?? 0) <= MAX_READ_PAST_BYTES) return () => {};
  const { shouldKeepAlive } = response;
  response.shouldKeepAlive = false;
  return () => {
    response.shouldKeepAlive = shouldKeepAlive;
  };
}
