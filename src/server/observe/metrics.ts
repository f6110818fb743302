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
  readonly #histograms: Readonly<Record<LatencyName, Histogram<'model_name'>>>;
  readonly #interToken: Histogram<'model_name'>;
  readonly #promptTokens: Histogram<'model_name'>;
  readonly #generationTokens: Histogram<'model_name'>;
  readonly #tokens: Counter<'model_name' | 'kind'>;
  readonly #success: Counter<'model_name' | 'finished_reason'>;
  readonly #outcomes: Counter<'model_name' | 'outcome'>;
  readonly #bytes: Counter<'model_name' | 'kind' | 'how'>;

  /** @param onlyModel name of the model where there is one alone: everything is its then */
  constructor(onlyModel: string | undefined) {
    const registers = [this.registry];
    if (onlyModel !== undefined) this.registry.setDefaultLabels({ model_name: onlyModel });
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
      labelNames: ['model_name', 'kind'],
    });
    this.#success = new Counter({
      ...{ name: 'troupe_request_success_total', help: 'Requests answered to their end', registers },
      labelNames: ['model_name', 'finished_reason'],
    });
    this.#outcomes = new Counter({
      ...{ name: 'troupe_requests_total', help: 'Chat requests by how they ended', registers },
      labelNames: ['model_name', 'outcome'],
    });
    this.#bytes = new Counter({
      ...{ name: 'troupe_bytes_between_actors_total', help: 'Tensors that actors handed over', registers },
      labelNames: ['model_name', 'kind', 'how'],
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

  /** The books of one model. */
  of(model_name: string): RequestMetrics {
    return {
      answered: (result, queuedMs) => this.#answered(model_name, result, queuedMs),
      tokensSent: (count, sinceLastMs) => {
        for (let i = 0; i < count; i++) this.#interToken.observe({ model_name }, sinceLastMs / count / 1000);
      },
      ended: (outcome) => this.#outcomes.inc({ outcome, model_name }),
    };
  }

  #answered(model_name: string, result: ChatResult, queuedMs: number): void {
    const { timings, usage, bytesBetweenActors } = result;
    const took = (name: LatencyName, ms: number) => this.#histograms[name].observe({ model_name }, ms / 1000);
    took('request_queue_time_seconds', queuedMs + timings.queueMs);
    took('time_to_first_token_seconds', queuedMs + timings.timeToFirstTokenMs);
    took('e2e_request_latency_seconds', queuedMs + timings.totalMs);
    took('request_preprocess_time_seconds', timings.preprocessMs);
    took('request_prefill_time_seconds', timings.prefillMs);
    if (usage.imageTokens > 0) took('request_encode_time_seconds', timings.encodeMs);
    if (usage.completionTokens > 1) took('time_per_output_token_seconds', timings.interTokenMs);
    this.#promptTokens.observe({ model_name }, usage.promptTokens);
    this.#generationTokens.observe({ model_name }, usage.completionTokens);
    this.#tokens.inc({ kind: 'prompt', model_name }, usage.promptTokens);
    this.#tokens.inc({ kind: 'image', model_name }, usage.imageTokens);
    this.#tokens.inc({ kind: 'generation', model_name }, usage.completionTokens);
    this.#success.inc({ finished_reason: result.finishReason, model_name });
    for (const kind of ['pixels', 'embeddings'] as const) {
      this.#bytes.inc({ kind, how: 'moved', model_name }, bytesBetweenActors[kind].moved);
      this.#bytes.inc({ kind, how: 'copied', model_name }, bytesBetweenActors[kind].copied);
    }
  }
}

/** What is counted of the requests of one model. */
export interface RequestMetrics {
  /** @param queuedMs in the server's queue, before the engine */
  answered(result: ChatResult, queuedMs: number): void;
  /** Tokens that came together were made one after the other in the time since the last. */
  tokensSent(count: number, sinceLastMs: number): void;
  ended(outcome: RequestOutcome): void;
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

function latencies(registers: Registry[]): Readonly<Record<LatencyName, Histogram<'model_name'>>> {
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

function histogram(
  registers: Registry[],
  name: string,
  help: string,
  buckets = LATENCY_BUCKETS,
): Histogram<'model_name'> {
  return new Histogram({ name: `troupe_${name}`, help, buckets, registers, labelNames: ['model_name'] });
}
