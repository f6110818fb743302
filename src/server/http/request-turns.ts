/**
 * One request of a connection at a time. A client may send the next before it has the answer to the last (RFC 9112, 9.3.2),
 * and Node would begin them all, by the thousand where they come in one piece; here each waits for the one before it, and
 * for others that came meanwhile.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Clients hardly ever send a second one early. */
const MAX_WAITING = 16;

export function inTurns(listener: RequestListener): RequestListener {
  const connections = new WeakMap<Socket, (() => void)[]>();
  return (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const begin = () => {
      response.once('close', () => {
        const next = connections.get(socket)?.shift();
        if (next === undefined) connections.delete(socket);
        else setImmediate(next);
      });
      listener(request, response);
    };
    const waiting = connections.get(socket);
    if (waiting === undefined) {
      connections.set(socket, []);
      begin();
    } else if (waiting.length < MAX_WAITING) waiting.push(begin);
    else socket.destroy();
  };
}
