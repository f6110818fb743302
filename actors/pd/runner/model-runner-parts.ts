/** What a `ModelRunner` is put together from. */
import type { GpuMemory } from '../../inference/gpu/gpu-memory.ts';
import type { SeesAhead } from '../../model/geometry.ts';
import type { KvBudget } from '../kv-cache/kv-budget.ts';
import type { KvCache } from '../kv-cache/kv-cache.ts';
import type { PrefixCache } from '../prefix-cache/prefix-cache.ts';
import type { Decoder } from './decoder.ts';
import type { GpuImageMerge } from './gpu-image-merge.ts';
import type { PromptRuns } from './prefill-pacer.ts';
import type { PromptHelp } from './remote-prefill.ts';
import type { TokenEmbedder } from './token-embedder.ts';
import type { WideDecoder } from './wide-decoder.ts';

export interface ModelRunnerParts {
  readonly decoder: Decoder;
  /**
   * The decoder that all tokens of prompts go through, however few there are in a run, and no token of an answer: so a
   * prompt comes out the same in any company. Default: `decoder`.
   */
  readonly prompts?: Decoder | undefined;
  /** Present where another actor helps with prompts. */
  readonly help?: PromptHelp | undefined;
  readonly wide?: WideDecoder | undefined;
  /** Absent when the decoder takes token ids. */
  readonly embedder: TokenEmbedder | undefined;
  readonly cache: KvCache;
  readonly budget: KvBudget;
  readonly prefixes: PrefixCache;
  /** Present when the decoder runs on a GPU, which this actor then owns. */
  readonly gpu?: GpuMemory | undefined;
  /** Present where embeddings that lie on the GPU can be merged there. */
  readonly merge?: GpuImageMerge | undefined;
  /** Default: those of a CPU. */
  readonly promptRuns?: PromptRuns;
  readonly imageTokenId: number;
  /** Which tokens of a prompt see later ones. Default none. */
  readonly seesAhead?: SeesAhead | undefined;
}
