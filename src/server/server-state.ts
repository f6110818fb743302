/** What all routes share: the models, the queues before them, and whether requests are taken at all. */
import type { Logger } from 'pino';
import { TroupeError } from '../../runtime/errors.ts';
import type { StopReport } from '../../runtime/system/actor-system.ts';
import { after } from '../../runtime/util/timers.ts';
import { FleetModels } from '../fleet/gateway/fleet-models.ts';
import type { ServedEngine } from '../served-engine.ts';
import type { StartProgress } from '../start-options.ts';
import { BodyReader } from './body/body-reader.ts';
import { RemoteImages } from './chat/remote-images.ts';
import { ByteBudget } from './http/byte-budget.ts';
import type { Models } from './models/served-model.ts';
import { ServedModels } from './models/served-models.ts';
import { EngineMetrics } from './observe/engine-metrics.ts';
import { FleetMetrics } from './observe/fleet-metrics.ts';
import { ServerMetrics } from './observe/metrics.ts';
import { ModelMetrics } from './observe/model-metrics.ts';
import type { ServerConfig } from './server-config.ts';

/** Of the bytes that requests may keep in memory: whatever one client sends, there is room for another. */
const SHARE_OF_ONE_CLIENT = 3 / 4;

/** A request that is not answered yet. */
export interface OpenRequest {
  abort(reason: TroupeError): void;
}

export type Phase = 'starting' | 'ready' | 'draining';

export class ServerState {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly metrics: ServerMetrics;
  readonly engineMetrics: EngineMetrics;
  readonly models: Models;
  readonly images: RemoteImages;
  readonly budget: ByteBudget;
  readonly bodies: BodyReader;
  readonly startedAt = new Date();
  /** The same on a clock that nobody sets, ms. */
  readonly startedAtMs = performance.now();
  /** Requests from their head to the end of their answer. */
  readonly #lifetimes = new Set<OpenRequest>();
  #started = false;
  #draining = false;
  #onIdle: (() => void) | undefined;

  constructor(config: ServerConfig, log: Logger) {
    const { queue, http, resolved, allowPull } = config;
    this.config = config;
    this.log = log;
    this.models = config.gateway ? new FleetModels(config, log) : new ServedModels(config, log);
    const { maxImages, maxImageBytes } = resolved.limits;
    this.images = new RemoteImages({
      policy: resolved.images,
      maxBytes: maxImageBytes,
      budgetBytes: resolved.memory.fetchedBytes,
      waiting: queue.maxQueued,
    });
    this.bodies = new BodyReader({ allowPull, maxImages, maxImageBytes, maxBodyBytes: http.maxBodyBytes });
    const perClient = Math.ceil(http.maxBufferedBytes * SHARE_OF_ONE_CLIENT);
    this.budget = new ByteBudget({ total: http.maxBufferedBytes, perClient });
    this.metrics = new ServerMetrics(this.models.only?.config.name);
    this.engineMetrics = new EngineMetrics(this.metrics.registry);
    if (config.gateway) new FleetMetrics(this.metrics.registry, this.models);
    new ModelMetrics(this.metrics.registry, this.models, config.modelsMemoryBytes);
    this.metrics.gauge('fetched_bytes', 'Bytes of fetched images in memory', () => this.images.heldBytes);
    this.metrics.gauge('buffered_bytes', 'Bytes of requests in memory', () => this.budget.held);
  }

  get phase(): Phase {
    if (this.#draining) return 'draining';
    return this.#started ? 'ready' : 'starting';
  }

  get open(): number {
    return this.#lifetimes.size;
  }

  /** Loads the models that are to be there from the start. */
  async start(
    onProgress: ((progress: StartProgress) => void) | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.models.start(onProgress, signal);
    this.#started = true;
  }

  /** Unloads all models. */
  async stop(): Promise<StopReport> {
    return await this.models.close(draining());
  }

  /** @throws TroupeError `SERVER_STARTING`, `SERVER_DRAINING` */
  assertOpen(): void {
    if (this.#draining) throw draining();
    if (this.#started) return;
    throw new TroupeError('the server is starting', { code: 'SERVER_STARTING', retrySafe: true });
  }

  /**
   * The engine of the first model.
   * @throws TroupeError `SERVER_STARTING`, `SERVER_DRAINING`, `MODEL_NOT_LOADED`
   */
  readyEngine(): ServedEngine {
    this.assertOpen();
    const { config, slot } = this.models.first;
    if (slot.engine !== undefined) return slot.engine;
    const details = { model: config.name };
    throw new TroupeError(`${config.name} is not loaded`, {
      code: 'MODEL_NOT_LOADED',
      retrySafe: true,
      details,
    });
  }

  opened(request: OpenRequest): void {
    this.#lifetimes.add(request);
  }

  closed(request: OpenRequest): void {
    this.#lifetimes.delete(request);
    if (this.#lifetimes.size === 0) this.#onIdle?.();
  }

  /** Takes no more requests; resolves when those there are have ended, or when the time is up. */
  async drain(boundMs: number): Promise<void> {
    this.#draining = true;
    if (this.#lifetimes.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const timer = after(boundMs, resolve);
    await promise;
    clearTimeout(timer);
  }

  /** Fails what is still there. */
  abandon(): void {
    for (const lifetime of this.#lifetimes) lifetime.abort(draining());
  }
}

function draining(): TroupeError {
  return new TroupeError('the server is shutting down', { code: 'SERVER_DRAINING', retrySafe: true });
}
