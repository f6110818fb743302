/** Turns what came in a message back into a port of the right transport. */
import { MessagePort } from 'node:worker_threads';
import { MessagePortTransport } from './message-port.ts';
import type { Port, PortToken } from './port.ts';

export function adoptPort(token: PortToken): Port {
  return token instanceof MessagePort ? new MessagePortTransport(token) : token;
}
