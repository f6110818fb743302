/**
 * What Prometheus reads. Names after `troupe_` are those of the field (vLLM's and Dynamo's metrics), so that dashboards
 * and alerts need one word changed. docs/server.md lists them.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ChatResult } from '../../chat-types.ts';

/** Seconds. From a token of a small model to a request at its deadline. */
const LATENCY_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
];
const TOKEN_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

export type RequestOutcome = 'success' | 'client_error' | 'rejected' | 'aborted' | 'deadline' | 'error';

export class ServerMetrics {
  readonly registry = new Registry();
  readonly #histograms: Readonly<Record<LatencyName, Histogram>>;
  readonly #interToken: Histogram;
  readonly #promptTokens: Histogram;
  readonly #generationTokens: Histogram;
  readonly #tokens: Counter<'kind'>;
  readonly #success: Counter<'finished_reason'>;
  readonly #outcomes: Counter<'outcome'>;
  readonly #bytes: Counter<'kind' | 'how'>;

  constructor(modelName: string) {
    const registers = [this.registry];
    this.registry.setDefaultLabels({ model_name: modelName });
    collectDefaultMetrics({ register: this.registry });
    this.#histograms = latencies(registers);
    this.#interToken = histogram(registers, 'inter_token_latency_seconds', 'Time between tokens as sent');
    this.#promptTokens = histogram(registers, 'request_prompt_tokens', 'Prompt length', TOKEN_BUCKETS);
    this.#generationTokens = histogram(
      registers,
      'request_generation_tokens',
      'Answer length',
      TOKEN_BUCKETS,
    );
    this.#tokens = new Counter({
      ...{ name: 'troupe_tokens_total', help: 'Tokens of answered requests', registers },
      labelNames: ['kind'],
    });
    this.#success = new Counter({
      ...{ name: 'troupe_request_success_total', help: 'Requests answered to their end', registers },
      labelNames: ['finished_reason'],
    });
    this.#outcomes = new Counter({
      ...{ name: 'troupe_requests_total', help: 'Chat requests by how they ended', registers },
      labelNames: ['outcome'],
    });
    this.#bytes = new Counter({
      ...{ name: 'troupe_bytes_between_actors_total', help: 'Tensors that actors handed over', registers },
      labelNames: ['kind', 'how'],
    });
  }

  /** A value read when Prometheus asks. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      ...{ name: `troupe_${name}`, help, registers: [this.registry] },
      collect() {
        this.set(read());
      },
    });
  }

  /** @param queuedMs in the server's queue, before the engine */
  answered(result: ChatResult, queuedMs: number): void {
    const { timings, usage, bytesBetweenActors } = result;
    this.#histograms.request_queue_time_seconds.observe((queuedMs + timings.queueMs) / 1000);
    this.#histograms.time_to_first_token_seconds.observe((queuedMs + timings.timeToFirstTokenMs) / 1000);
    this.#histograms.e2e_request_latency_seconds.observe((queuedMs + timings.totalMs) / 1000);
    this.#histograms.request_preprocess_time_seconds.observe(timings.preprocessMs / 1000);
    this.#histograms.request_prefill_time_seconds.observe(timings.prefillMs / 1000);
    if (usage.imageTokens > 0) this.#histograms.request_encode_time_seconds.observe(timings.encodeMs / 1000);
    if (usage.completionTokens > 1) {
      this.#histograms.time_per_output_token_seconds.observe(timings.interTokenMs / 1000);
    }
    this.#promptTokens.observe(usage.promptTokens);
    this.#generationTokens.observe(usage.completionTokens);
    this.#tokens.inc({ kind: 'prompt' }, usage.promptTokens);
    this.#tokens.inc({ kind: 'image' }, usage.imageTokens);
    this.#tokens.inc({ kind: 'generation' }, usage.completionTokens);
    this.#success.inc({ finished_reason: result.finishReason });
    for (const kind of ['pixels', 'embeddings'] as const) {
      this.#bytes.inc({ kind, how: 'moved' }, bytesBetweenActors[kind].moved);
      this.#bytes.inc({ kind, how: 'copied' }, bytesBetweenActors[kind].copied);
    }
  }

  /** Tokens that came together were made one after the other in the time since the last. */
  tokensSent(count: number, sinceLastMs: number): void {
    for (let i = 0; i < count; i++) this.#interToken.observe(sinceLastMs / count / 1000);
  }

  ended(outcome: RequestOutcome): void {
    this.#outcomes.inc({ outcome });
  }
}

const LATENCIES = {
  time_to_first_token_seconds: 'From the queue to the first token',
  time_per_output_token_seconds: 'Mean time between tokens of a request',
  e2e_request_latency_seconds: 'From the queue to the last token',
  request_queue_time_seconds: 'Waiting, in the server and in the engine',
  request_preprocess_time_seconds: 'Chat template, tokenizer, image decoding and resizing',
  request_encode_time_seconds: 'The vision graph, for requests with images',
  request_prefill_time_seconds: 'Running the prompt',
} as const;

type LatencyName = keyof typeof LATENCIES;

function latencies(registers: Registry[]): Readonly<Record<LatencyName, Histogram>> {
  const make = (name: LatencyName) => histogram(registers, name, LATENCIES[name]);
  return {
    time_to_first_token_seconds: make('time_to_first_token_seconds'),
    time_per_output_token_seconds: make('time_per_output_token_seconds'),
    e2e_request_latency_seconds: make('e2e_request_latency_seconds'),
    request_queue_time_seconds: make('request_queue_time_seconds'),
    request_preprocess_time_seconds: make('request_preprocess_time_seconds'),
    request_encode_time_seconds: make('request_encode_time_seconds'),
    request_prefill_time_seconds: make('request_prefill_time_seconds'),
  };
}

function histogram(registers: Registry[], name: string, help: string, buckets = LATENCY_BUCKETS): Histogram {
  return new Histogram({ name: `troupe_${name}`, help, buckets, registers });
}
