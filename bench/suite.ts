/** What a benchmark suite is, and what it gives. */
import type { Precision } from './generated-model/precision.ts';
import type { AttentionKind } from './generated-model/shape.ts';
import type { ShapeName } from './generated-model/shapes.ts';

export interface SuiteOptions {
  /** Shorter, for a look, and on a small generated model; its figures are not for publication. */
  readonly quick: boolean;
  /** Of the generated model; SmolVLM's when absent, and suites on the embedded model then stay with that. */
  readonly shape: ShapeName | undefined;
  /** Of the generated model's decoder. */
  readonly attention: AttentionKind;
  /** Of the generated model's decoder; the shape's own number when absent. */
  readonly layers: number | undefined;
  /** Precision of the generated model; each suite has its default. */
  readonly dtype: Precision | undefined;
  /** Turns of the suites that load the generated model; each has its default. */
  readonly rounds: number | undefined;
  /** Of the throughput suite's answers; its default when absent. */
  readonly answerTokens: number | undefined;
}

/** One line of a table. */
export interface Row {
  readonly name: string;
  /** Of one operation, milliseconds. */
  readonly medianMs: number;
  readonly perSecond: number;
  /** How many times as fast as the baseline of its table, the median of all rounds; 1 for the baseline itself. */
  readonly ratio: number;
  /** The median of each round. */
  readonly roundsMs: readonly number[];
}

export interface Table {
  readonly title: string;
  /** What one operation is: `round trip`, `image`, `token`… */
  readonly unit: string;
  /** The row that the others are compared with. */
  readonly baseline: string;
  readonly rows: readonly Row[];
}

/** Values that are no times: bytes, slopes, counts. */
export interface FigureTable {
  readonly title: string;
  readonly rows: readonly { readonly name: string; readonly value: number; readonly unit: string }[];
}

/** What a suite is there to show, and whether it does. */
export interface Claim {
  readonly text: string;
  readonly measured: number;
  /** Written after the number: `×`, ` %`. */
  readonly unit: string;
  readonly goal: { readonly atLeast: number } | { readonly atMost: number };
  /** The run fails when it is not met: for what must hold on every machine. */
  readonly required?: boolean;
}

/** Lines over one pair of axes. */
export interface LineChart {
  readonly kind: 'lines';
  /** Points alone, where what lies between two of them is not known. Default: joined. */
  readonly joined?: boolean;
  /** Ends up in the file's name. */
  readonly name: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly {
    readonly name: string;
    readonly points: readonly (readonly [x: number, y: number])[];
  }[];
}

/** Bars in groups, one colour for each name. */
export interface BarChart {
  readonly kind: 'bars';
  readonly name: string;
  readonly title: string;
  readonly y: string;
  readonly bars: readonly { readonly group: string; readonly name: string; readonly value: number }[];
}

export type Chart = LineChart | BarChart;

export interface SuiteResult {
  /** Why nothing was measured, where the machine lacks what is needed. */
  readonly skipped?: string;
  readonly tables?: readonly Table[];
  readonly figures?: readonly FigureTable[];
  readonly claims?: readonly Claim[];
  readonly charts?: readonly Chart[];
}

export interface Suite {
  readonly name: string;
  readonly description: string;
  /** What `--help` says it is there to show, where that is more than its tables. */
  readonly shows?: string;
  run(options: SuiteOptions): Promise<SuiteResult>;
}

export function isMet({ measured, goal }: Claim): boolean {
  return 'atLeast' in goal ? measured >= goal.atLeast : measured <= goal.atMost;
}
