/**
 * Bytes that all requests together may keep in memory, counted as they come and kept until the end of the answer. One
 * client has a share of them. When there is no room, the newest request of the client that holds most gives way, of
 * those that are still coming in; so nobody waits for room, and nobody is refused for what another one only announced.
 */
import { TroupeError } from '../../../runtime/errors.ts';

export interface ByteLimits {
  readonly total: number;
  /** Of one client; one request alone is let in whatever its size. */
  readonly perClient: number;
}

interface Client {
  bytes: number;
  /** In the order in which they came. */
  readonly accounts: Set<ByteAccount>;
}

export class ByteBudget {
  readonly #limits: ByteLimits;
  readonly #clients = new Map<string, Client>();
  #held = 0;

  constructor(limits: ByteLimits) {
    this.#limits = limits;
  }

  get held(): number {
    return this.#held;
  }

  /**
   * @param announced bytes that the request says it will have; not counted, but what can never fit is refused at once
   * @param giveWay called at most once, when the request must end before it has come in whole
   * @throws TroupeError `BUFFERS_FULL`
   */
  open(client: string, announced: number, giveWay: (reason: TroupeError) => void): ByteAccount {
    const entry = this.#clients.get(client) ?? { bytes: 0, accounts: new Set() };
    if (entry.accounts.size > 0 && entry.bytes + announced > this.#limits.perClient) throw buffersFull();
    this.#clients.set(client, entry);
    const account = new ByteAccount(giveWay, {
      add: (bytes) => {
        this.#makeRoom(entry, account, bytes);
        entry.bytes += bytes;
        this.#held += bytes;
      },
      release: (bytes) => {
        entry.bytes -= bytes;
        this.#held -= bytes;
        entry.accounts.delete(account);
        if (entry.accounts.size === 0) this.#clients.delete(client);
      },
    });
    entry.accounts.add(account);
    return account;
  }

  #makeRoom(mine: Client, account: ByteAccount, bytes: number): void {
    if (mine.accounts.size > 1 && mine.bytes + bytes > this.#limits.perClient) throw buffersFull();
    while (this.#held > account.bytes && this.#held + bytes > this.#limits.total) {
      const newest = this.#heaviestBeside(mine, bytes);
      if (newest === undefined) throw buffersFull();
      newest.refuse(buffersFull());
    }
  }

  /** The newest request that is still coming in, of the client that holds most, if that is more than mine. */
  #heaviestBeside(mine: Client, bytes: number): ByteAccount | undefined {
    let most = mine.bytes + bytes;
    let found: ByteAccount | undefined;
    for (const client of this.#clients.values()) {
      if (client === mine || client.bytes <= most) continue;
      const newest = [...client.accounts].findLast((one) => one.isComing && one.bytes > 0);
      if (newest === undefined) continue;
      most = client.bytes;
      found = newest;
    }
    return found;
  }
}

interface Books {
  add(bytes: number): void;
  release(bytes: number): void;
}

/** The bytes of one request. */
export class ByteAccount {
  readonly #giveWay: (reason: TroupeError) => void;
  readonly #books: Books;
  #bytes = 0;
  #coming = true;
  #open = true;

  constructor(giveWay: (reason: TroupeError) => void, books: Books) {
    this.#giveWay = giveWay;
    this.#books = books;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isComing(): boolean {
    return this.#coming;
  }

  /** @throws TroupeError `BUFFERS_FULL` */
  add(bytes: number): void {
    if (!this.#open) return;
    this.#books.add(bytes);
    this.#bytes += bytes;
  }

  /** All has come: from now on it has a right to its answer. */
  complete(): void {
    this.#coming = false;
  }

  refuse(reason: TroupeError): void {
    this.release();
    this.#giveWay(reason);
  }

  /** Gives the bytes back; later calls do nothing. */
  release(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#coming = false;
    this.#books.release(this.#bytes);
  }
}

function buffersFull(): TroupeError {
  return new TroupeError('too many bytes of requests are in memory', {
    code: 'BUFFERS_FULL',
    retrySafe: true,
  });
}
