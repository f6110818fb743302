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
import { ProxyList } from './proxy-list.ts';
import { rawError } from './raw-error.ts';

/** Longer headers are refused. */
const MAX_HEADER_BYTES = 16 * 1024;

/** A head is one packet or a few; nobody needs longer. */
const HEAD_TIMEOUT_MS = 10_000;

/**
 * Requests on one connection that wait for their answers. Clients hardly ever send the next before the last is answered;
 * who does it by the thousand would have the main thread work through all that came in one piece before it hears others.
 */
const MAX_PIPELINED = 16;

/** @param connections of all servers together: a name may have several addresses to listen on, each with a server */
export function createServer(
  listener: RequestListener,
  http: ServerConfig['http'],
  connections: ConnectionLimits,
): Server {
  const { receiveTimeoutMs } = http;
  const proxies = new ProxyList(http.trustedProxies);
  const server = new Server({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: Math.min(receiveTimeoutMs, HEAD_TIMEOUT_MS),
    requestTimeout: receiveTimeoutMs,
    keepAliveTimeout: http.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, Math.max(50, receiveTimeoutMs / 4)),
  });
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    if (socket.destroyed) return; // what came in one piece with too many others
    if (connections.requestBegan(socket) > MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    response.once('close', () => connections.requestEnded(socket));
    listener(request, response);
  };
  server.on('request', onRequest);
  server.on('checkContinue', onRequest); // the body is asked for when it is wanted
  server.on('clientError', onClientError);
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    if (!connections.admit(socket, addressOf(remoteAddress), proxies.includes(remoteAddress))) {
      socket.write(rawError(503, 'too_many_connections'));
      socket.destroySoon();
      return;
    }
    socket.once('close', () => connections.closed(socket));
  });
  return server;
}
