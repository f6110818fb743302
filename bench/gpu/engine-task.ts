/** What an engine in a process of its own is asked, and what it answers. */
import type { PeerRequest } from '../peers/peer-request.ts';

export interface EngineTask {
  readonly requests: readonly PeerRequest[];
  /** How many of them are under way at a time. */
  readonly inFlight: number;
}

export interface EngineAnswer {
  /** From the first request to the last answer; caches were cleared before. */
  readonly ms: number;
  /** Of each request, in their order. */
  readonly answers: readonly AnswerFigures[];
  /** What crossed the GPU's bus meanwhile; 0 without a GPU. */
  readonly hostToDeviceBytes: number;
  readonly deviceToHostBytes: number;
  /** Most tokens of a prompt in one run there; 0 where nothing bounds it. */
  readonly promptTokensPerRun: number;
  /** Tensors that live on the GPU afterwards. */
  readonly liveBuffers: number;
  /** Rows that prompts and decode steps ran for: of each the host is told the likeliest token, or has the logits. */
  readonly logitRows: number;
}

export interface AnswerFigures {
  readonly tokenIds: readonly number[];
  readonly completionTokens: number;
  readonly timeToFirstTokenMs: number;
  readonly encodeMs: number;
  readonly prefillMs: number;
  readonly interTokenMs: number;
  /** Bytes of image embeddings that one actor handed to another. */
  readonly embeddingBytes: number;
}
