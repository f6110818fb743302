/**
 * The server of `node:http` under the routes: how long a head may be and take, how many connections there may be, and how
 * much a client may ask at once on one of them.
 */
import { type IncomingMessage, type RequestListener, Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ServerConfig } from '../server-config.ts';
import { onClientError } from './client-error.ts';
import { addressOf } from './client-identity.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { CutOffMessage } from './cut-off-message.ts';
import { ProxyList } from './proxy-list.ts';
import { rawError } from './raw-error.ts';
import type { ReadTurns } from './read-turns.ts';
import { inTurns } from './request-turns.ts';

/** Longer headers are refused. */
const MAX_HEADER_BYTES = 16 * 1024;

/** A head is one packet or a few; nobody needs longer. */
const HEAD_TIMEOUT_MS = 10_000;

/** What Node knows and its types do not: a client may end its side of the connection once it has asked. */
const HALF_OPEN = { httpAllowHalfOpen: true };

/** Of all servers together: a name may have several addresses to listen on, each with a server. */
export interface SharedLimits {
  readonly connections: ConnectionLimits;
  readonly reads: ReadTurns;
}

export function createServer(
  listener: RequestListener,
  http: ServerConfig['http'],
  { connections, reads }: SharedLimits,
): Server {
  const { receiveTimeoutMs } = http;
  const proxies = new ProxyList(http.trustedProxies);
  const options = {
    IncomingMessage: CutOffMessage,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: Math.min(receiveTimeoutMs, HEAD_TIMEOUT_MS),
    requestTimeout: receiveTimeoutMs,
    keepAliveTimeout: http.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, Math.max(50, receiveTimeoutMs / 4)),
  };
  const server = Object.assign(new Server(options), HALF_OPEN);
  const begin = inTurns(listener);
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    reads.note(addressOf(socket.remoteAddress));
    if (socket.destroyed) return; // what came in one piece with too many others
    connections.requestBegan(socket);
    response.once('close', () => connections.requestEnded(socket));
    begin(request, response);
  };
  server.on('request', onRequest);
  server.on('checkContinue', onRequest); // the body is asked for when it is wanted
  server.on('clientError', onClientError);
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    const address = addressOf(remoteAddress);
    if (!connections.admit(socket, address, proxies.includes(remoteAddress))) {
      socket.write(rawError(503, 'too_many_connections'));
      socket.destroySoon();
      return;
    }
    // Not before Node's own start of reading, which would undo a pause.
    process.nextTick(() => {
      if (!socket.destroyed) reads.connected(socket, address);
    });
    socket.once('close', () => {
      connections.closed(socket);
      reads.closed(socket, address);
    });
  });
  return server;
}
