/**
 * Ends a server's connections without resetting one that is in use. A request that comes on a kept-alive connection
 * just as the server closes it is lost with the connection (RFC 9112, 9.6), so an idle one is closed only when it has
 * been quiet for a while; whatever comes before is answered with `Connection: close`, which ends it in good order.
 */

import type { Server as HttpServer } from 'node:http';
import { Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Turns of the event loop without a new connection, after which nobody waits in the backlog. */
const QUIET_TURNS = 3;

/** In a longer turn somebody may have come after the listening socket was looked at. */
const SHORT_TURN_MS = 0.1;

/** Under a flood of connections the listening socket is closed anyway. */
const MOST_TURNS = 1_000;

export interface Patience {
  /** Resolves when nothing has come for so long, ms. */
  readonly quietMs: number;
  /** Resolves then at the latest, ms. */
  readonly mostMs: number;
}

/**
 * Stops listening, then resolves when no connection is left or none has said anything for a while. To be called when
 * all answers say `Connection: close`. Idle connections that are left may then be closed.
 */
export async function endConnections(server: HttpServer, { quietMs, mostMs }: Patience): Promise<void> {
  if (quietMs === 0) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const quiet = setTimeout(resolve, quietMs);
  const most = setTimeout(resolve, mostMs);
  const onRequest = () => quiet.refresh();
  server.on('request', onRequest);
  await backlogTaken(server);
  // Not the close of an HTTP server, which would close the idle connections too.
  Server.prototype.close.call(server, () => resolve());
  await promise;
  clearTimeout(quiet);
  clearTimeout(most);
  server.off('request', onRequest);
}

/**
 * The kernel resets connections that are in the backlog when it closes; a turn of the event loop accepts one at least.
 * What connects between the last look and the close, a part of a millisecond in a short turn, is reset all the same.
 */
async function backlogTaken(server: HttpServer): Promise<void> {
  let turnsQuiet = 0;
  let came = false;
  const onConnection = () => {
    came = true;
  };
  server.on('connection', onConnection);
  for (let turns = 0; turnsQuiet < QUIET_TURNS && turns < MOST_TURNS; turns++) {
    came = false;
    const start = performance.now();
    await nextTurn();
    const isQuiet = !came && performance.now() - start < SHORT_TURN_MS;
    turnsQuiet = isQuiet ? turnsQuiet + 1 : 0;
  }
  server.off('connection', onConnection);
}
