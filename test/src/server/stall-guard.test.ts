import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { guardAgainstStall } from '../../../src/server/http/stall-guard.ts';

const TIMEOUT_MS = 200;
/** More than the system buffers for a connection by itself. */
const LARGE = Buffer.alloc(64 * 1024 * 1024);

async function open(
  t: TestContext,
  answer: (response: ServerResponse) => void,
): Promise<[Socket, ServerResponse]> {
  const server = createServer((_request, response) => {
    guardAgainstStall(response, TIMEOUT_MS);
    answer(response);
    server.emit('answering', response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  const socket = connect(address.port, '127.0.0.1');
  socket.pause();
  t.after(() => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [response] = await once(server, 'answering');
  return [socket, response];
}

test('a client that takes nothing is cut off', async (t) => {
  const [, response] = await open(t, (answer) => answer.end(LARGE));
  await once(response, 'close');
  assert.equal(response.writableFinished, false);
});

test('a client that takes its time, but takes, is not', async (t) => {
  const [socket, response] = await open(t, (answer) => answer.end(LARGE));
  const startedAt = performance.now();
  socket.on('data', () => {
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  });
  socket.resume();
  await once(response, 'close');
  assert.equal(response.writableFinished, true);
  assert(performance.now() - startedAt > TIMEOUT_MS, 'it took longer than a client that takes nothing has');
});

test('an answer that is still being made is waited for', async (t) => {
  const [, response] = await open(t, (answer) => answer.write('x'));
  await new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS * 3));
  assert.equal(response.destroyed, false);
});
