/**
 * How long the main thread reads from its connections before it does something else. What lies ready on a hundred
 * connections is otherwise worked through in one turn of the event loop, and where it is dear (64 KiB of chunks of one
 * byte each take ten milliseconds) nobody else is heard for seconds. When a turn has taken its time, all connections are
 * paused, and go on by and by: in each turn a few of every address, those with few connections first.
 */

/** A socket. */
export interface Readable {
  pause(): unknown;
  resume(): unknown;
}

/** One more piece may be read after it. */
const MAX_TURN_MS = 10;

/** Resumed in a turn, of each address. */
const AT_ONCE = 4;

export interface Clock {
  now(): number;
  /** Calls when this turn of the event loop has ended. */
  nextTurn(callback: () => void): void;
}

const REAL: Clock = { now: () => performance.now(), nextTurn: (callback) => void setImmediate(callback) };

export class ReadTurns {
  readonly #clock: Clock;
  /** All that may be read from, by address. */
  readonly #reading = new Map<string, Set<Readable>>();
  readonly #paused = new Map<string, Set<Readable>>();
  #startedAt: number | undefined;
  #over = false;

  constructor(clock: Clock = REAL) {
    this.#clock = clock;
  }

  connected(socket: Readable, address: string): void {
    setOf(this.#reading, address).add(socket);
    // It comes behind those that its address already has.
    if (this.#paused.size > 0) this.#pause(socket, address);
  }

  closed(socket: Readable, address: string): void {
    drop(this.#reading, address, socket);
    drop(this.#paused, address, socket);
  }

  /** To be called whenever something was read. */
  note(): void {
    const now = this.#clock.now();
    if (this.#startedAt === undefined) {
      this.#startedAt = now;
      this.#clock.nextTurn(() => this.#begin());
    } else if (!this.#over && now - this.#startedAt > MAX_TURN_MS) {
      this.#over = true;
      for (const [address, sockets] of this.#reading)
        for (const socket of sockets) this.#pause(socket, address);
    }
  }

  #begin(): void {
    this.#startedAt = undefined;
    this.#over = false;
    // A socket that is resumed comes behind those that were resumed before it.
    const byCount = [...this.#paused].sort(([, a], [, b]) => a.size - b.size);
    for (const [address, sockets] of byCount) {
      for (const socket of [...sockets].slice(0, AT_ONCE)) this.#resume(socket, address);
    }
    if (this.#paused.size === 0) return;
    this.#startedAt = this.#clock.now();
    this.#clock.nextTurn(() => this.#begin());
  }

  #pause(socket: Readable, address: string): void {
    drop(this.#reading, address, socket);
    setOf(this.#paused, address).add(socket);
    socket.pause();
    // A request whose body is being read would resume it.
    socket.resume = () => socket;
  }

  #resume(socket: Readable, address: string): void {
    drop(this.#paused, address, socket);
    setOf(this.#reading, address).add(socket);
    Reflect.deleteProperty(socket, 'resume');
    socket.resume();
  }
}

function setOf(map: Map<string, Set<Readable>>, address: string): Set<Readable> {
  const known = map.get(address);
  if (known !== undefined) return known;
  const made = new Set<Readable>();
  map.set(address, made);
  return made;
}

function drop(map: Map<string, Set<Readable>>, address: string, socket: Readable): void {
  const sockets = map.get(address);
  if (sockets?.delete(socket) && sockets.size === 0) map.delete(address);
}
