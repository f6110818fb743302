/**
 * Makes a pool larger while messages wait in its mailboxes, and smaller again when its last member has had nothing to do for a
 * while. It reads the load board; nobody is asked. Only an idle member goes, and if something reaches it in that moment it
 * ends that first, however long it takes: no thread is ended at work.
 */
import type { LoadBoard, LoadReading } from '../board/load-board.ts';
import type { Group } from '../supervision/group.ts';
import { errorOf } from '../util/realms.ts';
import { withDefaults } from '../util/with-defaults.ts';

/** How far a pool may grow beyond its `size`, and when. */
export interface ElasticOptions {
  /** Most members. */
  readonly max: number;
  /** It grows when so many messages wait for each member on average, at two looks, a quarter of a second apart. Default 8. */
  readonly waiting?: number;
  /** It shrinks when its last member has had nothing to do for so long, ms. Default 30,000. */
  readonly idleMs?: number;
}

/** A pool, as far as this is concerned. */
export interface ElasticPool {
  readonly size: number;
  /** Of each member that is up, in order. */
  loads(): readonly LoadReading[];
  resize(size: number): Promise<unknown>;
  /** It has another size, or could not have it. */
  onResized(size: number, error: Error | undefined): void;
}

const LOOK_EVERY_MS = 250;
const DEFAULT_WAITING = 8;
const DEFAULT_IDLE_MS = 30_000;

export class Elastic {
  readonly #pool: ElasticPool;
  readonly #min: number;
  readonly #options: Required<ElasticOptions>;
  #wasShort = false;
  #idleSince: number | undefined;
  #resting: number | undefined;
  #isResizing = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param min members that it begins with, and never falls below */
  constructor(pool: ElasticPool, min: number, options: ElasticOptions) {
    this.#pool = pool;
    this.#min = min;
    const defaults = { max: min, waiting: DEFAULT_WAITING, idleMs: DEFAULT_IDLE_MS };
    this.#options = withDefaults<Required<ElasticOptions>>(defaults, options);
  }

  begin(): void {
    this.#timer = setInterval(() => this.look(performance.now()), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** @param now ms, on a clock that does not jump */
  look(now: number): void {
    const { size } = this.#pool;
    const { max, waiting: most, idleMs } = this.#options;
    if (this.#isResizing || (this.#resting !== undefined && now < this.#resting)) return;
    const loads = this.#pool.loads();
    const waiting = loads.reduce((sum, { queueDepth }) => sum + queueDepth, 0);
    const isShort = waiting > 0 && waiting >= most * size;
    if (isShort && this.#wasShort && size < max) this.#resize(size + 1, now);
    this.#wasShort = isShort;
    const last = loads.at(-1);
    const isIdle = loads.length === size && last?.queueDepth === 0 && last.running === 0 && !isShort;
    this.#idleSince = isIdle ? (this.#idleSince ?? now) : undefined;
    if (this.#idleSince === undefined || now - this.#idleSince < idleMs || size <= this.#min) return;
    this.#idleSince = undefined;
    this.#resize(size - 1, now);
  }

  #resize(size: number, now: number): void {
    this.#isResizing = true;
    this.#pool
      .resize(size)
      .then(
        () => this.#pool.onResized(size, undefined),
        (error: unknown) => {
          // A setup that throws will again: not before it has had some time.
          this.#resting = now + this.#options.idleMs;
          this.#pool.onResized(this.#pool.size, errorOf(error));
        },
      )
      .finally(() => {
        this.#isResizing = false;
      });
  }
}

/** Lets a pool that was asked to be elastic grow and shrink, until it is over. */
export function stretch(
  group: Group,
  board: LoadBoard,
  { elastic: options, size = 1 }: { readonly elastic?: ElasticOptions; readonly size?: number },
  onResized: ElasticPool['onResized'],
): void {
  if (options === undefined) return;
  const pool: ElasticPool = {
    get size() {
      return group.members.length;
    },
    loads: () => group.live().map(([, { boardSlot, underWay }]) => board.read(boardSlot, underWay.count)),
    resize: (wanted) => group.resize(wanted, Number.POSITIVE_INFINITY),
    onResized,
  };
  const elastic = new Elastic(pool, size, options);
  elastic.begin();
  void group.over.then(() => elastic.end());
}
