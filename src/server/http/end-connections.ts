/**
 * Ends a server's connections without resetting one that is in use. What connects just as a listening socket is closed,
 * or sends on a kept-alive connection just as that is closed (RFC 9112, 9.6), is lost with it. So both are closed only
 * when nothing new has come for a while: whatever comes before is answered with `Connection: close`, until the clients
 * have gone elsewhere.
 */

import type { Server as HttpServer } from 'node:http';
import { Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { after } from '../../../runtime/util/timers.ts';

/** Turns of the event loop without anything new, after which nobody waits in the backlog. */
const QUIET_TURNS = 3;

/** In a longer turn somebody may have come after the listening socket was looked at. */
const SHORT_TURN_MS = 0.1;

/** Under a flood of connections the listening socket is closed anyway. */
const MOST_TURNS = 1_000;

export interface Patience {
  /** The clients have gone when nothing has come for so long, ms. */
  readonly quietMs: number;
  /** They are waited for no longer, before the listening socket is closed and once more after it, ms. */
  readonly mostMs: number;
}

/**
 * Stops listening when nothing new comes any more, then resolves when the same is true of the connections that are left.
 * To be called when all answers say `Connection: close`. Idle connections may be closed afterwards.
 */
export async function endConnections(server: HttpServer, patience: Patience): Promise<void> {
  if (patience.quietMs === 0) return;
  const news = new News(server);
  const isQuiet = await news.cease(patience);
  const cameLast = await backlogTaken(news);
  // Not the close of an HTTP server, which would close the idle connections too.
  const closed = new Promise<void>((resolve) => Server.prototype.close.call(server, () => resolve()));
  if (!isQuiet || cameLast) await news.cease(patience, closed);
  news.end();
}

/** New connections, and requests on any. */
class News {
  readonly #server: HttpServer;
  readonly #onNews = () => {
    this.count += 1;
    this.#quiet?.refresh();
  };
  #quiet: NodeJS.Timeout | undefined;
  count = 0;

  constructor(server: HttpServer) {
    this.#server = server.on('connection', this.#onNews).on('request', this.#onNews);
  }

  /** Resolves with true when nothing has come for a while; otherwise with false, at the latest `until`. */
  async cease({ quietMs, mostMs }: Patience, until?: Promise<void>): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#quiet = after(quietMs, () => resolve(true));
    const most = after(mostMs, () => resolve(false));
    until?.then(() => resolve(false));
    const isQuiet = await promise;
    clearTimeout(this.#quiet);
    clearTimeout(most);
    return isQuiet;
  }

  end(): void {
    this.#server.off('connection', this.#onNews).off('request', this.#onNews);
  }
}

/**
 * The kernel resets connections that are in the backlog when it closes; a turn of the event loop accepts one at least.
 * What connects between the last look and the close, a part of a millisecond in a short turn, is reset all the same.
 *
 * @returns whether somebody came, as they may have while the event loop was held up and the quiet only seemed so
 */
async function backlogTaken(news: News): Promise<boolean> {
  const before = news.count;
  let turnsQuiet = 0;
  for (let turns = 0; turnsQuiet < QUIET_TURNS && turns < MOST_TURNS; turns++) {
    const { count } = news;
    const start = performance.now();
    await nextTurn();
    const isQuiet = news.count === count && performance.now() - start < SHORT_TURN_MS;
    turnsQuiet = isQuiet ? turnsQuiet + 1 : 0;
  }
  return news.count > before;
}
