/**
 * Places for a bounded number of requests, and a bounded queue before them. Each client has a line of its own, and a free
 * place goes to the client that has fewest, in turns where they have alike, so that one who asks much waits for himself.
 * An eighth of the places is only for clients that have none: who comes while another's long requests have all others
 * finds one. When the queue is full, the newest request of the longest line gives way (longest queue drop, as in fair packet queueing: Suter et
 * al., "Design considerations for supporting TCP with per-flow queueing", 1998).
 */
import { TroupeError } from '../../runtime/errors.ts';

export interface FairQueueLimits {
  /** Requests that have a place at once; ≥ 1. */
  readonly places: number;
  /** Requests that wait for one; ≥ 0. */
  readonly waiting: number;
}

/** A place in use; `release` gives it back, once. */
export interface Place {
  release(): void;
}

interface Waiter {
  readonly client: string;
  readonly grant: (place: Place) => void;
  readonly refuse: (error: unknown) => void;
}

/** Of the places; what is left is enough to keep an engine busy, which has twice as many as it decodes together. */
const KEPT_FOR_NEWCOMERS = 1 / 8;

export class FairQueue {
  #limits: FairQueueLimits;
  /** In the order of their turns; a client without waiters has no line. */
  readonly #lines = new Map<string, Waiter[]>();
  /** Places of each client that has any. */
  readonly #permits = new Map<string, number>();
  #kept: number;
  #used = 0;
  #waiting = 0;

  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
    this.#kept = Math.floor(limits.places * KEPT_FOR_NEWCOMERS);
  }

  get maxWaiting(): number {
    return this.#limits.waiting;
  }

  /** More places, or fewer: those in use stay so. */
  resize(places: number): void {
    if (places === this.#limits.places) return;
    this.#limits = { ...this.#limits, places };
    this.#kept = Math.floor(places * KEPT_FOR_NEWCOMERS);
    while (this.#giveNext());
  }

  /** Places in use. */
  get used(): number {
    return this.#used;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** True when a request of this client would be refused. */
  isFullFor(client: string): boolean {
    if (this.#hasPlaceFor(client) || this.#waiting < this.#limits.waiting) return false;
    return this.#longest().length <= (this.#lines.get(client)?.length ?? 0) + 1;
  }

  /**
   * Resolves when there is a place.
   *
   * @param client whose turn it takes
   * @throws TroupeError `QUEUE_FULL`; the signal's reason when it aborts before
   */
  enter(client: string, signal: AbortSignal): Promise<Place> {
    if (signal.aborted) return Promise.reject(signal.reason);
    // Who waits could not take it: places are given to them as they become free.
    if (this.#hasPlaceFor(client)) return Promise.resolve(this.#take(client));
    if (this.isFullFor(client)) return Promise.reject(queueFull());
    if (this.#waiting >= this.#limits.waiting) this.#longest().at(-1)?.refuse(queueFull());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        client,
        grant: (place) => {
          this.#leave(waiter);
          signal.removeEventListener('abort', onAbort);
          resolve(place);
        },
        refuse: (error) => {
          this.#leave(waiter);
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      const onAbort = () => waiter.refuse(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      const line = this.#lines.get(client) ?? [];
      line.push(waiter);
      this.#lines.set(client, line);
      this.#waiting += 1;
    });
  }

  /** Fails everyone who waits. */
  refuseAll(error: unknown): void {
    for (const line of [...this.#lines.values()]) for (const waiter of [...line]) waiter.refuse(error);
  }

  #hasPlaceFor(client: string): boolean {
    const isNew = !this.#permits.has(client);
    return this.#used < this.#limits.places - (isNew ? 0 : this.#kept);
  }

  #take(client: string): Place {
    this.#used += 1;
    this.#permits.set(client, (this.#permits.get(client) ?? 0) + 1);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        this.#used -= 1;
        const left = (this.#permits.get(client) ?? 0) - 1;
        if (left > 0) this.#permits.set(client, left);
        else this.#permits.delete(client);
        while (this.#giveNext());
      },
    };
  }

  #giveNext(): boolean {
    let next: Waiter | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [client, [first]] of this.#lines) {
      const places = this.#permits.get(client) ?? 0;
      if (places >= fewest || !this.#hasPlaceFor(client)) continue;
      fewest = places;
      next = first;
    }
    if (next === undefined) return false;
    const { client } = next;
    next.grant(this.#take(client));
    // To the end of the turns, if more of this client wait.
    const line = this.#lines.get(client);
    if (this.#lines.delete(client) && line !== undefined) this.#lines.set(client, line);
    return true;
  }

  #leave(waiter: Waiter): void {
    const line = this.#lines.get(waiter.client) ?? [];
    const index = line.indexOf(waiter);
    if (index === -1) return;
    line.splice(index, 1);
    this.#waiting -= 1;
    if (line.length === 0) this.#lines.delete(waiter.client);
  }

  #longest(): Waiter[] {
    let longest: Waiter[] = [];
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line;
    return longest;
  }
}

function queueFull(): TroupeError {
  return new TroupeError('the server has all the requests that it can take', {
    code: 'QUEUE_FULL',
    retrySafe: true,
  });
}
