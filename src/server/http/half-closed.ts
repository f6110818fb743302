/**
 * A client that ends its side of the connection after its request may be waiting for the answer, or may be gone: TCP
 * tells the same of both. What is sent to one that has gone is answered with a reset, so the first bytes of the answer,
 * which are the same for all of them, are sent one by one, at growing intervals, while the answer is being made. A client
 * that waits has them a little earlier.
 */

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { after } from '../../../runtime/util/timers.ts';

const BEGINNING = 'HTTP/1.1 ';

/** Between the first byte and the second, ms. Each further one waits twice as long: the last is sent after 5 s. */
const FIRST_WAIT_MS = 20;

/** To be called with each request, as soon as its head is there. */
export function probeWhenHalfClosed(response: ServerResponse): void {
  const { socket } = response;
  // Behind another answer on the same connection: that one will find out.
  if (socket === null) return;
  const onEnd = () => {
    if (!response.headersSent) probe(socket, response);
  };
  socket.once('end', onEnd);
  response.once('close', () => socket.off('end', onEnd));
}

function probe(socket: Socket, response: ServerResponse): void {
  let sent = 0;
  let waitMs = FIRST_WAIT_MS;
  let timer: NodeJS.Timeout | undefined;
  const write = socket.write.bind(socket);
  const sendNext = () => {
    write(BEGINNING.charAt(sent), 'latin1');
    sent += 1;
    if (sent === BEGINNING.length) return;
    timer = after(waitMs, sendNext).unref();
    waitMs *= 2;
  };
  const end = () => {
    clearTimeout(timer);
    Reflect.deleteProperty(socket, 'write'); // the class has it
  };
  // The head is one piece, and begins with what has been sent of it.
  const writeRest = (head: string | Uint8Array, ...rest: []) => {
    end();
    return socket.write(head.slice(sent), ...rest);
  };
  socket.write = writeRest as Socket['write']; // in all its forms, which are passed on as they came
  response.once('close', end);
  sendNext();
}
