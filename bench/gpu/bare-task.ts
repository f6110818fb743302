/** What a process with bare graphs is asked, and what it answers. */
export type BareTask =
  | { readonly kind: 'vision'; readonly batch: number }
  | { readonly kind: 'prefill'; readonly batch: number; readonly promptTokens: number }
  | {
      readonly kind: 'decode';
      readonly batch: number;
      readonly promptTokens: number;
      /** The first of them are not timed, for shaders are compiled at the first shapes of their kind. */
      readonly steps: number;
    };

export interface BareAnswer {
  /** Of one run: the median, where there were several. */
  readonly ms: number;
  /** Greedy, row after row of each run. */
  readonly tokens: readonly number[];
}
