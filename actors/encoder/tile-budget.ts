/**
 * How many tiles one run of the vision graph takes. A run cannot be interrupted: while it lasts no message is heard
 * and, in aggregated mode, nobody's next token is decoded. So it is bounded in time, by what tiles took before:
 * as many as fit, but always one, and never more than a fixed number, which bounds the memory of a run (the
 * attention scores of a 512-pixel tile alone take 50 MB in SmolVLM's vision tower).
 */
export interface TileBudgetOptions {
  /** Most tiles of a run, whatever the time; ≥ 1. */
  readonly maxTiles: number;
  /** Milliseconds that a run may take, asked before each. */
  readonly budgetMs: () => number;
}

/** Weight of the newest run in the mean: a hiccup of the machine halves the next batch at worst, not the next ten. */
const NEWEST = 0.25;

export class TileBudget {
  readonly #options: TileBudgetOptions;
  /** Undefined before the first run, which takes one tile: its time is unknown. */
  #msPerTile: number | undefined;

  constructor(options: TileBudgetOptions) {
    this.#options = options;
  }

  /** Tiles of the next run. */
  get tiles(): number {
    if (this.#msPerTile === undefined) return 1;
    const fitting = Math.floor(this.#options.budgetMs() / Math.max(this.#msPerTile, 1e-3));
    return Math.max(1, Math.min(this.#options.maxTiles, fitting));
  }

  /** A run of `tiles` took `ms`. */
  record(tiles: number, ms: number): void {
    const now = ms / tiles;
    this.#msPerTile =
      this.#msPerTile === undefined ? now : this.#msPerTile + NEWEST * (now - this.#msPerTile);
  }
}
