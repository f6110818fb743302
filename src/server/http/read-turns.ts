/**
 * How long the main thread reads from the connections of one address before it turns to others. What lies ready on a
 * hundred connections is otherwise worked through in one turn of the event loop, and where it is dear (64 KiB of chunks of
 * one byte each take ten milliseconds) nobody else is heard for seconds. When an address has had its time, its connections
 * are paused, and go on by and by, a few in each turn. Those of other addresses are not touched.
 */

/** A socket. */
export interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/** One more piece may be read after it. */
const MAX_TURN_MS = 5;

/** Resumed in a turn, of each address: as many ordinary requests as fit into its time. */
const AT_ONCE = 32;

/**
 * So many turns they wait for one in which there is nothing else to do. Node takes one new connection in a turn: where
 * every turn is long and hundreds wait to be taken, an honest one waits behind them all.
 */
const MAX_WAIT_TURNS = 64;

export interface Clock {
  now(): number;
  /** Calls when this turn of the event loop has ended. */
  nextTurn(callback: () => void): void;
}

const REAL: Clock = { now: () => performance.now(), nextTurn: (callback) => void setImmediate(callback) };

interface Address {
  readonly reading: Set<Pausable>;
  /** The longest paused first. */
  readonly paused: Set<Pausable>;
  /** In this turn, ms. */
  used: number;
}

export class ReadTurns {
  readonly #clock: Clock;
  readonly #addresses = new Map<string, Address>();
  /** That have had their time and not yet gone on, though all connections that they had then may be closed by now. */
  readonly #spent = new Set<string>();
  /** Until when this turn's time has been counted; undefined before anything was read in it. */
  #countedTo: number | undefined;
  /** Something came from a connection that was not paused, in this turn. */
  #busy = false;
  /** Turns since paused connections went on. */
  #waited = 0;
  #going = false;

  constructor(clock: Clock = REAL) {
    this.#clock = clock;
  }

  connected(socket: Pausable, address: string): void {
    const entry = this.#addresses.get(address) ?? { reading: new Set(), paused: new Set(), used: 0 };
    this.#addresses.set(address, entry);
    entry.reading.add(socket);
    this.#busy = true;
    // It comes behind those that its address already has, or has had.
    if (entry.paused.size === 0 && !this.#spent.has(address)) return;
    pause(socket, entry);
    this.#go();
  }

  closed(socket: Pausable, address: string): void {
    const entry = this.#addresses.get(address);
    if (entry === undefined) return;
    entry.reading.delete(socket);
    entry.paused.delete(socket);
    if (entry.reading.size + entry.paused.size === 0) this.#addresses.delete(address);
  }

  /** To be called whenever something was read from an address: the time since the last call was spent on that. */
  note(address: string): void {
    const now = this.#clock.now();
    this.#busy = true;
    this.#go();
    const spent = now - (this.#countedTo ?? now);
    this.#countedTo = now;
    const entry = this.#addresses.get(address);
    if (entry === undefined) return;
    entry.used += spent;
    if (entry.used <= MAX_TURN_MS) return;
    this.#spent.add(address);
    for (const socket of entry.reading) pause(socket, entry);
  }

  /** To the next turn, and on while anybody is paused. */
  #go(): void {
    if (this.#going) return;
    this.#going = true;
    this.#clock.nextTurn(() => {
      this.#going = false;
      this.#begin();
    });
  }

  #begin(): void {
    this.#countedTo = undefined;
    const others = this.#busy && this.#waited < MAX_WAIT_TURNS;
    this.#waited = others ? this.#waited + 1 : 0;
    this.#busy = false;
    if (!others) this.#spent.clear();
    let paused = 0;
    for (const entry of this.#addresses.values()) {
      entry.used = 0;
      if (!others) for (const socket of [...entry.paused].slice(0, AT_ONCE)) resume(socket, entry);
      paused += entry.paused.size;
    }
    if (paused + this.#spent.size > 0) this.#go();
  }
}

function pause(socket: Pausable, { reading, paused }: Address): void {
  reading.delete(socket);
  paused.add(socket);
  socket.pause();
  // A request whose body is being read would resume it.
  socket.resume = () => socket;
}

function resume(socket: Pausable, { reading, paused }: Address): void {
  paused.delete(socket);
  reading.add(socket);
  Reflect.deleteProperty(socket, 'resume');
  socket.resume();
}
