/**
 * How many connections there may be, of all and of one address. When there is no room for a new one, the connection that
 * has been idle longest gives way: of the address itself when that has its share, otherwise of the one with most. Idle is
 * a connection without a whole head of a request: one that has sent nothing, one that never finishes, one kept alive.
 */

export interface ConnectionCounts {
  readonly total: number;
  readonly perAddress: number;
}

/** What is connected; a socket. */
export interface Closable {
  destroy(): unknown;
}

interface Connection {
  readonly address: string;
  /** Requests whose head has come and whose answer has not gone. */
  requests: number;
}

interface Address {
  count: number;
  /** The longest idle first. */
  readonly idle: Set<Closable>;
}

export class ConnectionLimits {
  readonly #counts: ConnectionCounts;
  readonly #connections = new Map<Closable, Connection>();
  readonly #addresses = new Map<string, Address>();

  constructor(counts: ConnectionCounts) {
    this.#counts = counts;
  }

  get open(): number {
    return this.#connections.size;
  }

  /**
   * Lets a connection in, if need be for an idle one, which is closed.
   * @param unlimited the address stands for many, as a proxy's does
   * @returns false when there is no room
   */
  admit(socket: Closable, address: string, unlimited = false): boolean {
    const known = this.#addresses.get(address);
    const hasShare = !unlimited && (known?.count ?? 0) >= this.#counts.perAddress;
    if (hasShare && !this.#closeIdle(known)) return false;
    if (this.#connections.size >= this.#counts.total && !this.#closeIdle(this.#mostConnected())) return false;
    const entry = this.#addresses.get(address) ?? { count: 0, idle: new Set() };
    entry.count += 1;
    entry.idle.add(socket);
    this.#addresses.set(address, entry);
    this.#connections.set(socket, { address, requests: 0 });
    return true;
  }

  requestBegan(socket: Closable): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.requests += 1;
    this.#addresses.get(connection.address)?.idle.delete(socket);
  }

  requestEnded(socket: Closable): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.requests -= 1;
    if (connection.requests === 0) this.#addresses.get(connection.address)?.idle.add(socket);
  }

  closed(socket: Closable): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.#connections.delete(socket);
    const entry = this.#addresses.get(connection.address);
    if (entry === undefined) return;
    entry.idle.delete(socket);
    entry.count -= 1;
    if (entry.count === 0) this.#addresses.delete(connection.address);
  }

  /** Among those that have an idle connection. */
  #mostConnected(): Address | undefined {
    let most: Address | undefined;
    for (const entry of this.#addresses.values()) {
      if (entry.idle.size > 0 && entry.count > (most?.count ?? 0)) most = entry;
    }
    return most;
  }

  #closeIdle(entry: Address | undefined): boolean {
    const [longest] = entry?.idle ?? [];
    if (longest === undefined) return false;
    this.closed(longest); // now, and not when the socket comes round to say so
    longest.destroy();
    return true;
  }
}
