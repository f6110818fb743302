/** The servers below the application: one for each address that its name has. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';

/** What Node knows and its types do not: a client may end its side of the connection once it has asked. */
const HALF_OPEN = { httpAllowHalfOpen: true };

export function httpServer(
  listener: RequestListener,
  options: ServerOptions,
  maxConnections: number,
): Server {
  return Object.assign(createServer(options, listener), { maxConnections, ...HALF_OPEN });
}
