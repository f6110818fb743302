/** Requests and sinks for engine tests. */
import { createHash } from 'node:crypto';
import type {
  GenerationSummary,
  RequestEnvelope,
  ResolvedSampling,
  TokenChunk,
} from '../../../../actors/generation.ts';
import type { PdEngine } from '../../../../actors/pd/engine/engine.ts';
import type { EngineImage, EngineRequest } from '../../../../actors/pd/engine-request.ts';
import type { GenerationSink } from '../../../../actors/pd/requests/generation-sink.ts';
import { TroupeError } from '../../../../runtime/errors.ts';

export const GREEDY: ResolvedSampling = {
  maxTokens: 64,
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  seed: 0,
  stop: [],
  logitBias: {},
  logprobs: false,
  topLogprobs: 0,
  n: 1,
};

let lastRequest = 0;

export function envelope(
  promptIds: readonly number[],
  sampling: Partial<ResolvedSampling> = {},
  deadline = Number.POSITIVE_INFINITY,
): RequestEnvelope {
  lastRequest += 1;
  return {
    requestId: `request-${lastRequest}`,
    promptIds: Int32Array.from(promptIds),
    sampling: { ...GREEDY, ...sampling },
    wantsStream: true,
    deadline,
    trace: {
      submittedAt: 0,
      queueMs: 0,
      preprocessMs: 0,
      encodeMs: 0,
      hops: [],
      stages: [],
      handedOverAt: 0,
    },
  };
}

/** An image that counts how often it is released. */
export class CountedImage implements EngineImage {
  readonly hash: string;
  readonly data: Float32Array;
  readonly shape: readonly number[];
  readonly tokens: number;
  readonly inputs = {};
  releases = 0;

  /** @param shape `[layers, tokens, hidden]` unless `tokens` says how many */
  constructor(data: Float32Array, shape: readonly number[] = [1, 25, 128], tokens = shape[1] ?? 0) {
    this.data = data;
    this.hash = createHash('sha256')
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      .digest('hex');
    this.shape = shape;
    this.tokens = tokens;
  }

  release(): void {
    this.releases += 1;
  }
}

export interface Askable {
  readonly promptIds: readonly number[];
  readonly embeddings: Float32Array;
}

export function question(
  golden: Askable,
  sampling: Partial<ResolvedSampling> = {},
  deadline?: number,
): EngineRequest & { readonly images: readonly [CountedImage] } {
  return {
    envelope: envelope(golden.promptIds, sampling, deadline),
    images: [new CountedImage(golden.embeddings)],
  };
}

/** Records all it is given. Takes everything until `credit` is set to a number of chunks. */
export class RecordingSink implements GenerationSink {
  readonly chunks: TokenChunk[] = [];
  readonly summaries: GenerationSummary[] = [];
  readonly errors: unknown[] = [];
  cancelled = false;
  credit = Number.POSITIVE_INFINITY;
  #ready: (() => void)[] = [];

  emit(chunk: TokenChunk): boolean {
    if (this.credit <= 0) return false;
    this.credit -= 1;
    this.chunks.push(chunk);
    return true;
  }

  finish(summary: GenerationSummary): void {
    this.summaries.push(summary);
  }

  fail(error: unknown): void {
    this.errors.push(error);
  }

  onReady(callback: () => void): void {
    this.#ready.push(callback);
  }

  /** Gives credit, or news of a cancel, to who waits. */
  wake(): void {
    for (const callback of this.#ready.splice(0)) callback();
  }

  get text(): string {
    return this.chunks.map((chunk) => chunk.text).join('');
  }

  get tokenIds(): number[] {
    return this.chunks.flatMap((chunk) => [...chunk.tokenIds]);
  }

  get settled(): boolean {
    return this.summaries.length + this.errors.length > 0;
  }

  /** Codes of the failures, 'UNKNOWN' for what is no TroupeError. */
  get codes(): string[] {
    return this.errors.map((error) => (TroupeError.is(error) ? error.code : 'UNKNOWN'));
  }

  /** The summary of an answer that must have ended well. */
  get summary(): GenerationSummary {
    const [summary] = this.summaries;
    if (summary === undefined) throw new Error(`no summary; failures: ${String(this.errors[0])}`);
    return summary;
  }
}

/** Steps until nothing is left to do; fails rather than loops for ever. */
export async function runToEnd(
  engine: Pick<PdEngine, 'hasWork' | 'step'>,
  mostSteps = 10_000,
): Promise<void> {
  for (let step = 0; engine.hasWork; step++) {
    if (step >= mostSteps) throw new Error(`still not done after ${mostSteps} steps`);
    await engine.step();
  }
}

/** Submits a prompt of so many tokens, the same for everybody, and no image. */
export function askTokens(
  engine: PdEngine,
  promptTokens: number,
  maxTokens: number,
  wantsStream = true,
): RecordingSink {
  const sink = new RecordingSink();
  const prompt = Array.from({ length: promptTokens }, (_, i) => i % 60);
  engine.submit({ envelope: { ...envelope(prompt, { maxTokens }), wantsStream }, images: [] }, sink);
  return sink;
}

/** For engines without a tokenizer. */
export function describeToken(id: number): { id: number; text: string; bytes: number[] } {
  const text = String.fromCharCode(32 + id);
  return { id, text, bytes: [32 + id] };
}
