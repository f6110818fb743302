/** Bytes on a socket, for requests that no HTTP client would send. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TroupeServer } from '../../../src/server/serve.ts';

export async function openSocket(server: TroupeServer): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined); // the server may close it at any time
  await once(socket, 'connect');
  return socket;
}

/** All that the server says until it closes the connection. */
export async function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  // Not by `once` of events, which rejects on an error before.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

export async function rawRequest(server: TroupeServer, text: string): Promise<string> {
  const socket = await openSocket(server);
  socket.write(text);
  return await untilClosed(socket);
}
