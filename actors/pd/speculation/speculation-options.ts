/** Whether answers draft themselves, and how far. */

/**
 * `off`; `own`: from the tokens of the request's own prompt and answers; `auto`: from earlier answers of the engine, too.
 */
export const SPECULATION = ['auto', 'own', 'off'] as const;
export type SpeculationKind = (typeof SPECULATION)[number];

export interface SpeculationOptions {
  /** Default `off`. */
  readonly speculation?: SpeculationKind | undefined;
  /** Most tokens that are drafted for one run, 1 to 31. Default 8. */
  readonly maxDraftTokens?: number | undefined;
}

export const DEFAULT_DRAFT_TOKENS = 8;
/** With the token before them these are as many as running answers wait for at once; see `engine-core.ts`. */
export const MOST_DRAFT_TOKENS = 31;
