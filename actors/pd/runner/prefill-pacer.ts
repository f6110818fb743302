/**
 * How many prompt tokens a step may run, so that running answers keep their pace. A step costs a decode run and what
 * is spent on prompts: for every prompt that waits, a little less than another decode run, but no fewer than are worth one,
 * and as many as take no noticeable time.
 * So one long prompt beside a batch makes a step about twice as long, and a crowd of prompts is let in quickly, for a
 * batch that fills late costs everybody more.
 *
 * How long so many tokens take is not known before; it is taken from the last run, tokens over milliseconds.
 */

/** How many prompt tokens are worth a run. */
export interface PromptRuns {
  readonly fewest: number;
  /** While answers are being read. */
  readonly most: number;
  /** While none is: of one prompt, or of several short ones, padding included. Default: `most`. */
  readonly mostUnread?: number;
}

/**
 * Fewer waste a run on what every run costs: on the 256M shape, 8 tokens take 36 ms in 4 bits and 16 take 50, so that a
 * prompt of 2,000 waits 14 s instead of 8 and the others gain a fifth. More than 128 gain little, and a cancel is heard
 * later: a prompt of 2,000 takes 4 % longer in parts of 128 than in any larger ones in 4 bits, 10 % in 8. One of 600 gains
 * by a single run: 4 % in 4 bits, 8 % in 32 and 15 % in 8. So do several short ones by a run for all: 8 of 100 tokens take
 * 936 ms one by one, 870 in two runs and 830 in one.
 */
export const CPU_PROMPT_RUNS: PromptRuns = { fewest: 16, most: 128, mostUnread: 640 };
/** A run that nobody's pace bounds: what comes meanwhile, a cancel too, is heard after it. */
const LONGEST_MS = 1000;

/**
 * On a GPU a run costs what its operators cost to start, with many tokens as with few: on the 256M shape and an H100, 200
 * take 21 ms and a decode step takes 17. So few tokens buy no pace, and parts cost as many runs as there are.
 *
 * @param mostPerRun that the device may run; where these are few, a step has several runs, and is as on a CPU
 */
export function gpuPromptRuns(mostPerRun: number): PromptRuns {
  const { most } = CPU_PROMPT_RUNS;
  return mostPerRun < most || !Number.isFinite(mostPerRun)
    ? CPU_PROMPT_RUNS
    : { fewest: most, most: mostPerRun };
}

/** Before anything was measured. */
const FIRST = 32;
/**
 * So short a run delays nobody's next token noticeably, whatever a decode step takes: a small model's prompt is run whole. Cut in
 * four, it waits for four steps, and in an aggregated actor for pictures as often. Embedded model, prompts of 99 tokens (4 ms), 16
 * callers: a first token took 83 ms with this, and 154 with half as much, which cuts them in two.
 */
const SHORT_RUN_MS = 10;
/** Aim below the mark: what is estimated varies. */
const SHARE = 0.8;
/** Weight of the newest measurement of a decode step. */
const NEWEST = 0.25;

export interface PaceSituation {
  /** Sequences whose readers have a pace to keep. */
  readonly readers: number;
  /** Sequences without their first token. */
  readonly waiting: number;
}

export class PrefillPacer {
  readonly #fixed: number | undefined;
  readonly #runs: PromptRuns;
  #decodeMs: number | undefined;
  #tokensPerMs: number | undefined;

  /** @param fixed the same number for every step, whatever is measured */
  constructor(fixed?: number, runs: PromptRuns = CPU_PROMPT_RUNS) {
    this.#fixed = fixed;
    this.#runs = runs;
  }

  /** Tokens for the next step. */
  tokens({ readers, waiting }: PaceSituation): number {
    if (this.#fixed !== undefined) return this.#fixed;
    const { fewest, most } = this.#runs;
    if (readers === 0) return most;
    if (this.#decodeMs === undefined || this.#tokensPerMs === undefined) return Math.max(fewest, FIRST);
    const ms = Math.max(SHORT_RUN_MS, SHARE * this.#decodeMs * waiting);
    return Math.min(most, Math.max(fewest, Math.floor(ms * this.#tokensPerMs)));
  }

  /** Tokens of one run while no answer is being read. */
  get offline(): number {
    if (this.#fixed !== undefined) return this.#fixed;
    const { most, mostUnread = most } = this.#runs;
    const fitting = Math.floor(LONGEST_MS * (this.#tokensPerMs ?? 0));
    return Math.max(most, Math.min(mostUnread, fitting));
  }

  noteDecode(ms: number): void {
    const before = this.#decodeMs ?? ms;
    this.#decodeMs = before + NEWEST * (ms - before);
  }

  notePrefill(tokens: number, ms: number): void {
    this.#tokensPerMs = tokens / Math.max(ms, 0.001);
  }
}
