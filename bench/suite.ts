/** What a benchmark suite is, and what it gives. */
export interface SuiteOptions {
  /** Shorter, for a look; its figures are not for publication. */
  readonly quick: boolean;
}

/** One line of a table. */
export interface Row {
  readonly name: string;
  /** Of one operation, milliseconds. */
  readonly medianMs: number;
  readonly perSecond: number;
  /** How many times as fast as the baseline of its table; 1 for the baseline itself. */
  readonly ratio: number;
}

export interface Table {
  readonly title: string;
  /** What one operation is: `round trip`, `image`, `token`… */
  readonly unit: string;
  /** The row that the others are compared with. */
  readonly baseline: string;
  readonly rows: readonly Row[];
}

export interface Suite {
  readonly name: string;
  readonly description: string;
  run(options: SuiteOptions): Promise<readonly Table[]>;
}
