/** What the engine knows, for Prometheus: load by actor from shared memory, counters from the actors' statistics. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { EMBEDDING_CACHE } from '../../../actors/protocols.ts';
import { after } from '../../../runtime/util/timers.ts';
import type { EngineHealth, EngineStats } from '../../engine-stats.ts';
import type { ServedEngine } from '../../served-engine.ts';

/** How long a scrape waits for busy actors; what they counted is then left out of it. */
const STATS_PATIENCE_MS = 1_000;

type Label = 'model_name' | 'actor' | 'arena' | 'direction';

/** An engine that is in memory. */
export interface NamedEngine {
  readonly name: string;
  readonly engine: Pick<ServedEngine, 'health' | 'stats'>;
}

export class EngineMetrics {
  /** All of them: what a model that is gone had counted goes with it. */
  readonly #metrics: (Gauge<Label> | Counter<Label>)[] = [];
  readonly #up = this.#gauge('actor_up', '1 while the actor is up', 'actor');
  readonly #queueDepth = this.#gauge(
    'actor_queue_depth',
    'Messages in the mailbox and on their way to it',
    'actor',
  );
  readonly #running = this.#gauge('actor_running', 'Requests in work', 'actor');
  readonly #restarts = this.#counter('actor_restarts_total', 'Restarts after a crash', 'actor');
  readonly #imageHits = this.#counter('mm_cache_hits_total', 'Images found encoded');
  readonly #imageQueries = this.#counter('mm_cache_queries_total', 'Images asked for');
  readonly #prefixHits = this.#counter('prefix_cache_hits_total', 'Prompt tokens found computed', 'actor');
  readonly #prefixQueries = this.#counter('prefix_cache_queries_total', 'Prompt tokens asked for', 'actor');
  readonly #drafted = this.#counter(
    'draft_tokens_total',
    'Tokens that n-grams guessed and that were run',
    'actor',
  );
  readonly #accepted = this.#counter('accepted_draft_tokens_total', 'Guessed tokens that came', 'actor');
  readonly #kvBytes = this.#gauge('kv_cache_bytes', 'KV buffers', 'actor');
  readonly #arenaBytes = this.#gauge('arena_bytes', 'Tensors in shared memory', 'arena');
  readonly #gpuBytes = this.#counter('gpu_transfer_bytes_total', 'Bytes between host and GPU', 'direction');
  readonly #gpuBuffers = this.#gauge('gpu_buffers', 'Tensors that live on the GPU, without weights');
  readonly #gpuPromptTokens = this.#gauge(
    'gpu_prompt_tokens_per_run',
    'Most tokens of a prompt in a run on the GPU; 0: no GPU, or no bound',
  );

  constructor(registry: Registry) {
    for (const metric of this.#metrics) registry.registerMetric(metric);
  }

  /** Takes the values of this moment. Engines count; here it is only shown, and one that begins at 0 was reset to Prometheus. */
  async collect(engines: readonly NamedEngine[]): Promise<void> {
    const stats = await Promise.all(engines.map(({ engine }) => within(engine.stats(), STATS_PATIENCE_MS)));
    for (const metric of this.#metrics) metric.reset();
    for (const [index, { name, engine }] of engines.entries()) {
      this.#showHealth(name, engine.health());
      this.#showStats(name, stats[index]);
    }
  }

  #showHealth(model_name: string, { actors }: EngineHealth): void {
    for (const { name: actor, state, restarts, load } of actors) {
      this.#up.set({ actor, model_name }, state === 'up' ? 1 : 0);
      this.#queueDepth.set({ actor, model_name }, load?.queueDepth ?? 0);
      this.#running.set({ actor, model_name }, load?.running ?? 0);
      this.#restarts.inc({ actor, model_name }, restarts);
    }
  }

  #showStats(model_name: string, stats: EngineStats | undefined): void {
    for (const { name: arena, usedBytes } of stats?.arenas ?? []) {
      this.#arenaBytes.set({ arena, model_name }, usedBytes);
    }
    if (stats?.gpu !== undefined) {
      const { hostToDeviceBytes, deviceToHostBytes, liveBuffers, promptTokensPerRun } = stats.gpu;
      this.#gpuBytes.inc({ direction: 'host_to_device', model_name }, hostToDeviceBytes);
      this.#gpuBytes.inc({ direction: 'device_to_host', model_name }, deviceToHostBytes);
      this.#gpuBuffers.set({ model_name }, liveBuffers);
      if (promptTokensPerRun !== undefined) this.#gpuPromptTokens.set({ model_name }, promptTokensPerRun);
    }
    const images = stats?.caches.find(({ name }) => name === EMBEDDING_CACHE);
    if (images !== undefined) {
      this.#imageHits.inc({ model_name }, images.hits);
      this.#imageQueries.inc({ model_name }, images.hits + images.misses);
    }
    for (const { name: actor, stats: counted } of stats?.actors ?? []) {
      if (counted === undefined) continue;
      const { tokens, cachedTokens = 0 } = prefixCacheOf(counted.prefixCache);
      if (tokens !== undefined) {
        this.#prefixHits.inc({ actor, model_name }, cachedTokens);
        this.#prefixQueries.inc({ actor, model_name }, tokens);
      }
      const { draftedTokens, acceptedDraftTokens } = counted;
      if (typeof draftedTokens === 'number') this.#drafted.inc({ actor, model_name }, draftedTokens);
      if (typeof acceptedDraftTokens === 'number') {
        this.#accepted.inc({ actor, model_name }, acceptedDraftTokens);
      }
      if (typeof counted.kvBytes === 'number') this.#kvBytes.set({ actor, model_name }, counted.kvBytes);
    }
  }

  #gauge(name: string, help: string, ...labels: Label[]): Gauge<Label> {
    const gauge = new Gauge<Label>({ ...described(name, help), labelNames: ['model_name', ...labels] });
    this.#metrics.push(gauge);
    return gauge;
  }

  #counter(name: string, help: string, ...labels: Label[]): Counter<Label> {
    const counter = new Counter<Label>({ ...described(name, help), labelNames: ['model_name', ...labels] });
    this.#metrics.push(counter);
    return counter;
  }
}

/** Registered by who makes them, and not in the registry that all of a process share. */
function described(name: string, help: string) {
  return { name: `troupe_${name}`, help, registers: [] };
}

function prefixCacheOf(cache: unknown): { tokens?: number; cachedTokens?: number } {
  return typeof cache === 'object' && cache !== null ? cache : {};
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = after(ms, () => resolve(undefined));
  try {
    return await Promise.race([promise, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
