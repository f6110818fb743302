/** One model of a fleet, as a server has an engine: requests go to its nodes, and their actors are shown as its own. */

import { randomUUID } from 'node:crypto';
import { context, propagation } from '@opentelemetry/api';
import type { ChatRequest } from '../../../actors/generation.ts';
import type { ImagePolicy } from '../../../actors/image-policy.ts';
import { EMBEDDING_CACHE } from '../../../actors/protocols.ts';
import type { TokenizedPrompt, TokenPieces } from '../../../actors/tokenized-prompt.ts';
import { processNow } from '../../../runtime/clock.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import type { StopReport } from '../../../runtime/system/actor-system.ts';
import { throwIfAborted } from '../../../runtime/util/aborted.ts';
import { Events } from '../../../runtime/util/events.ts';
import { after } from '../../../runtime/util/timers.ts';
import { ChatRun } from '../../chat-run.ts';
import type { ChatOptions, ChatResult, ChatStream, Mode } from '../../chat-types.ts';
import type { EngineHealth, EngineStats } from '../../engine-stats.ts';
import type { ServedEngine } from '../../served-engine.ts';
import type { ClearedCaches } from '../../troupe.ts';
import type { TroupeEvents } from '../../troupe-events.ts';
import { badMessage } from '../fleet-errors.ts';
import type { Submit } from '../wire/messages.ts';
import type { GatewayLink } from './gateway-link.ts';
import { modelOf } from './node-table.ts';
import {
  ANSWER,
  DETOKENIZE,
  type RemoteResult,
  type RemoteTask,
  STREAM,
  tokenizing,
} from './remote-tasks.ts';
import { type RemoteEnd, runRemotely } from './run-remotely.ts';

export interface RemoteEngineOptions {
  readonly link: GatewayLink;
  readonly model: string;
  readonly requestTimeoutMs: number;
  readonly images: { readonly policy: ImagePolicy; readonly maxBytes: number };
  onMove(from: string, tokens: number, error: TroupeError): void;
}

export class RemoteEngine implements ServedEngine {
  readonly events = new Events<TroupeEvents>();
  readonly notices: readonly string[] = [];
  readonly #options: RemoteEngineOptions;
  readonly #runs = new Set<ChatRun>();
  readonly #stopping = new AbortController();

  constructor(options: RemoteEngineOptions) {
    this.#options = options;
  }

  get model(): string {
    return this.#options.model;
  }

  get mode(): Mode {
    return this.#announced[0]?.mode ?? 'aggregated';
  }

  /** The longest that all of its nodes take. */
  get contextLength(): number {
    return Math.min(...this.#announced.map(({ contextLength }) => contextLength ?? Number.POSITIVE_INFINITY));
  }

  async chat(request: ChatOptions): Promise<ChatResult> {
    const stream = this.#submit(request, ANSWER);
    for await (const _delta of stream) {
      // It comes whole; consuming it is what ends the stream.
    }
    return await stream.result;
  }

  stream(request: ChatOptions): ChatStream {
    return this.#submit(request, STREAM);
  }

  tokenize(request: ChatOptions, pieces?: TokenPieces): Promise<TokenizedPrompt> {
    return this.#told(request, tokenizing(pieces));
  }

  detokenize(tokens: readonly number[], signal?: AbortSignal): Promise<string> {
    const request = { messages: [], prompt: { tokens }, ...(signal && { signal }) };
    return this.#told(request, DETOKENIZE);
  }

  health(): EngineHealth {
    const { link, model } = this.#options;
    return {
      ready: link.nodes.serving(model).length > 0,
      failed: [],
      requestsInFlight: this.#runs.size,
      actors: link.nodes.all.flatMap((node) =>
        (modelOf(node, model)?.actors ?? []).map(({ name, state, restarts, load }) => ({
          name: `${node.id}/${name}`,
          state: link.nodes.stateOf(node) === 'silent' ? ('stopped' as const) : state,
          restarts,
          load,
        })),
      ),
    };
  }

  /** Of what the nodes say: their own `/metrics` say more. */
  stats(): Promise<EngineStats> {
    const images = this.#announced.flatMap((model) => model.images ?? []);
    const hits = images.reduce((sum, one) => sum + one.hits, 0);
    const queries = images.reduce((sum, one) => sum + one.queries, 0);
    const hitRate = queries === 0 ? 0 : hits / queries;
    const size = { evictions: 0, entries: 0, bytes: 0, maxBytes: 0 };
    return Promise.resolve({
      requestsInFlight: this.#runs.size,
      actors: this.health().actors.map((actor) => ({ ...actor, stats: undefined })),
      arenas: [],
      caches: [{ name: EMBEDDING_CACHE, hits, misses: queries - hits, hitRate, ...size }],
      weights: [],
      deadLetters: 0,
    });
  }

  async clearCaches(): Promise<ClearedCaches> {
    const { link, model } = this.#options;
    const cleared = link.nodes.serving(model).map(async (node) => {
      const byActor = Object.entries(await link.clearCaches(node, model));
      return byActor.map(([actor, bytes]) => [`${node.id}/${actor}`, bytes] as const);
    });
    return Object.fromEntries((await Promise.all(cleared)).flat());
  }

  /** Drills are for nodes. */
  crash(): boolean {
    return false;
  }

  stop(): Promise<StopReport> {
    for (const run of this.#runs) run.abort(stopped());
    this.#stopping.abort(stopped());
    return Promise.resolve({ quarantined: [] });
  }

  get #announced() {
    const { link, model } = this.#options;
    return link.nodes.all.flatMap((node) => modelOf(node, model) ?? []);
  }

  /** What is no answer. */
  async #told<Result>({ signal, ...chat }: ChatOptions, task: RemoteTask<Result>): Promise<Result> {
    const { requestTimeoutMs: timeoutMs, ...common } = this.#options;
    const stopping = this.#stopping.signal;
    const own = {
      task,
      timeoutMs,
      signal: signal === undefined ? stopping : AbortSignal.any([signal, stopping]),
    };
    // As in `#submit`.
    const run = runRemotely(chat as ChatRequest, { ...common, trace: traceHeaders(), ...own });
    for (;;) {
      const next = await run.next();
      if (next.done) return next.value.result;
    }
  }

  #submit(request: ChatOptions, task: RemoteTask<RemoteResult>): ChatStream {
    const { link, model, images, onMove, requestTimeoutMs } = this.#options;
    const { signal: callerSignal, timeoutMs = requestTimeoutMs, ...chat } = request;
    throwIfAborted(callerSignal);
    const requestId = randomUUID();
    const trace = traceHeaders();
    const run: ChatRun = new ChatRun(async function* ({ signal, onResult }) {
      // A server's requests have been read from JSON: their images are bytes and texts.
      const asked = chat as ChatRequest;
      const ways = { link, model, task, timeoutMs, trace, images, onMove, signal };
      onResult(resultOf(yield* runRemotely(asked, ways)));
    }, callerSignal);
    const timer = after(timeoutMs, () => run.abort(deadlineExceeded(timeoutMs))).unref();
    this.#runs.add(run);
    this.events.emit('request:start', { requestId });
    const ended = (event: TroupeEvents['request:end'][0]) => {
      clearTimeout(timer);
      this.#runs.delete(run);
      this.events.emit('request:end', event);
    };
    run.result.then(
      (result) => ended({ requestId, result }),
      (error: unknown) => ended({ requestId, error }),
    );
    return run;
  }
}

/** Of the span that the request is in, where an SDK is registered. */
function traceHeaders(): Submit['trace'] {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  const { traceparent, tracestate, baggage } = carrier;
  return {
    ...(traceparent !== undefined && { traceparent }),
    ...(tracestate !== undefined && { tracestate }),
    ...(baggage !== undefined && { baggage }),
  };
}

/** Times that the client sees are those at the gateway; what the node did when is in its own trace. */
function resultOf({ result, submittedAt, firstTextAt, node }: RemoteEnd<RemoteResult>): ChatResult {
  const now = processNow();
  const firstAt = firstTextAt ?? now;
  const [first] = result.choices;
  if (first === undefined) throw badMessage('has no answer');
  const { index: _, ...answer } = first;
  return {
    ...answer,
    ...result,
    timings: { ...result.timings, timeToFirstTokenMs: firstAt - submittedAt, totalMs: now - submittedAt },
    stages: [{ stage: 'transfer', actor: node.id, startedAt: submittedAt, endedAt: now }],
  };
}

function deadlineExceeded(timeoutMs: number): TroupeError {
  return new TroupeError(`the request was not answered within ${Math.round(timeoutMs)} ms`, {
    code: 'DEADLINE_EXCEEDED',
    retrySafe: true,
  });
}

function stopped(): TroupeError {
  return new TroupeError('the gateway is stopped', { code: 'ENGINE_STOPPED' });
}
