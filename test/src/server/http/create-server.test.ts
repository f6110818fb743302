import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { it } from 'node:test';
import { ConnectionLimits } from '../../../../src/server/http/connection-limits.ts';
import { createServer } from '../../../../src/server/http/create-server.ts';
import { type Pausable, ReadTurns } from '../../../../src/server/http/read-turns.ts';
import { serverConfig } from '../../../../src/server/server-config.ts';

/** Pauses the first connection as soon as it hears of it. */
class FirstWaits extends ReadTurns {
  first: Pausable | undefined;

  override connected(socket: Pausable): void {
    if (this.first !== undefined) return;
    this.first = socket;
    socket.pause();
  }
}

it('a connection that has to wait from its first turn on is not read, though Node begins to read it', async () => {
  const reads = new FirstWaits();
  const connections = new ConnectionLimits({ total: 8, perAddress: 8 });
  const asked: (string | undefined)[] = [];
  const listener = createServer(
    ({ url }, response) => {
      asked.push(url);
      response.end();
    },
    serverConfig().http,
    { connections, reads },
  );
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo; // it listens on TCP
  const ask = async (path: string) => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    await new Promise((resolve) => socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, resolve));
    return socket;
  };
  const first = await ask('/first');
  const second = await ask('/second');
  await once(second, 'data');
  assert.deepEqual(asked, ['/second']);
  reads.first?.resume();
  await once(first, 'data');
  assert.deepEqual(asked, ['/second', '/first']);
  listener.closeAllConnections();
  listener.close();
});
