/** What the engine knows, for Prometheus: load by actor from shared memory, counters from the actors' statistics. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { EMBEDDING_CACHE } from '../../../actors/protocols.ts';
import { after } from '../../../runtime/util/timers.ts';
import type { Troupe } from '../../troupe.ts';

/** How long a scrape waits for busy actors; what they counted is then left out of it. */
const STATS_PATIENCE_MS = 1_000;

export class EngineMetrics {
  readonly #queueDepth: Gauge<'actor'>;
  readonly #running: Gauge<'actor'>;
  readonly #up: Gauge<'actor'>;
  readonly #restarts: Counter<'actor'>;
  readonly #imageHits: Counter;
  readonly #imageQueries: Counter;
  readonly #prefixHits: Counter<'actor'>;
  readonly #prefixQueries: Counter<'actor'>;
  readonly #kvBytes: Gauge<'actor'>;
  readonly #arenaBytes: Gauge<'arena'>;
  readonly #gpuBytes: Counter<'direction'>;
  readonly #gpuBuffers: Gauge;
  readonly #gpuPromptTokens: Gauge;

  constructor(registry: Registry) {
    const actor = (name: string, help: string) => ({
      ...{ name: `troupe_${name}`, help, registers: [registry] },
      labelNames: ['actor'] as const,
    });
    this.#up = new Gauge(actor('actor_up', '1 while the actor is up'));
    this.#queueDepth = new Gauge(actor('actor_queue_depth', 'Messages in the mailbox'));
    this.#running = new Gauge(actor('actor_running', 'Requests in work'));
    this.#restarts = new Counter(actor('actor_restarts_total', 'Restarts after a crash'));
    const shared = (name: string, help: string) => ({ name: `troupe_${name}`, help, registers: [registry] });
    this.#imageHits = new Counter(shared('mm_cache_hits_total', 'Images found encoded'));
    this.#imageQueries = new Counter(shared('mm_cache_queries_total', 'Images asked for'));
    this.#prefixHits = new Counter(actor('prefix_cache_hits_total', 'Prompt tokens found computed'));
    this.#prefixQueries = new Counter(actor('prefix_cache_queries_total', 'Prompt tokens asked for'));
    this.#kvBytes = new Gauge(actor('kv_cache_bytes', 'KV buffers'));
    this.#gpuBytes = new Counter({
      ...{
        name: 'troupe_gpu_transfer_bytes_total',
        help: 'Bytes between host and GPU',
        registers: [registry],
      },
      labelNames: ['direction'],
    });
    this.#gpuBuffers = new Gauge(shared('gpu_buffers', 'Tensors that live on the GPU, without weights'));
    this.#gpuPromptTokens = new Gauge(
      shared(
        'gpu_prompt_tokens_per_run',
        'Most tokens of a prompt in a run on the GPU; 0: no GPU, or no bound',
      ),
    );
    this.#arenaBytes = new Gauge({
      ...{ name: 'troupe_arena_bytes', help: 'Tensors in shared memory', registers: [registry] },
      labelNames: ['arena'],
    });
  }

  /** Takes the values of this moment. */
  async collect(troupe: Pick<Troupe, 'health' | 'stats'>): Promise<void> {
    for (const { name: actor, state, restarts, load } of troupe.health().actors) {
      this.#up.set({ actor }, state === 'up' ? 1 : 0);
      this.#queueDepth.set({ actor }, load?.queueDepth ?? 0);
      this.#running.set({ actor }, load?.running ?? 0);
      setCounter(this.#restarts, actor, restarts);
    }
    const stats = await within(troupe.stats(), STATS_PATIENCE_MS);
    for (const { name, usedBytes } of stats?.arenas ?? []) this.#arenaBytes.set({ arena: name }, usedBytes);
    if (stats?.gpu !== undefined) {
      const { hostToDeviceBytes, deviceToHostBytes, liveBuffers, promptTokensPerRun } = stats.gpu;
      this.#gpuBytes.reset();
      this.#gpuBytes.inc({ direction: 'host_to_device' }, hostToDeviceBytes);
      this.#gpuBytes.inc({ direction: 'device_to_host' }, deviceToHostBytes);
      this.#gpuBuffers.set(liveBuffers);
      if (promptTokensPerRun !== undefined) this.#gpuPromptTokens.set(promptTokensPerRun);
    }
    const images = stats?.caches.find(({ name }) => name === EMBEDDING_CACHE);
    if (images !== undefined) {
      setTotal(this.#imageHits, images.hits);
      setTotal(this.#imageQueries, images.hits + images.misses);
    }
    for (const { name: actor, stats: counted } of stats?.actors ?? []) {
      if (counted === undefined) continue;
      const { tokens, cachedTokens = 0 } = prefixCacheOf(counted.prefixCache);
      if (tokens !== undefined) {
        setCounter(this.#prefixHits, actor, cachedTokens);
        setCounter(this.#prefixQueries, actor, tokens);
      }
      if (typeof counted.kvBytes === 'number') this.#kvBytes.set({ actor }, counted.kvBytes);
    }
  }
}

/** The actor counts; here it is only shown. A restarted actor begins at 0, which Prometheus takes for a reset. */
function setCounter(counter: Counter<'actor'>, actor: string, value: number): void {
  counter.remove({ actor });
  counter.inc({ actor }, value);
}

function setTotal(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
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
