/** Turns what came in a message back into a port of the right transport. */
import { MessagePortTransport } from './message-port.ts';
import type { Port, PortToken } from './port.ts';

export function adoptPort(token: PortToken): Port {
  return 'postMessage' in token ? new MessagePortTransport(token) : token;
}
