/** What a process with bare graphs is asked, and what it answers. */
import type { PeerRequest } from '../peers/peer-request.ts';

export type BareTask =
  | { readonly kind: 'vision'; readonly batch: number }
  | { readonly kind: 'prefill'; readonly batch: number; readonly promptTokens: number }
  | {
      readonly kind: 'decode';
      readonly batch: number;
      readonly promptTokens: number;
      /** The first of them are not timed, for shaders are compiled at the first shapes of their kind. */
      readonly steps: number;
    }
  | {
      readonly kind: 'answers';
      readonly requests: readonly PeerRequest[];
      /** Whether image features stay on the GPU until the decoder has read them, or go through the host's memory. */
      readonly features: 'kept' | 'fetched';
    };

export interface BareAnswer {
  /** Of one run, or from pixels to the first token: the median, where there were several. */
  readonly ms: number;
  /** Greedy, row after row of each run. */
  readonly tokens: readonly number[];
  /** Of each request. */
  readonly answers?: readonly (readonly number[])[];
}
