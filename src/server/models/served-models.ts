/** The models of a server: found by name, each with a queue of its own, in memory as there is room. */
import type { Logger } from 'pino';
import { TroupeError } from '../../../runtime/errors.ts';
import type { StopReport } from '../../../runtime/system/actor-system.ts';
import { Events } from '../../../runtime/util/events.ts';
import { EngineSource } from '../../models/engine-source.ts';
import { type ModelLease, ModelRooms } from '../../models/model-rooms.ts';
import type { ModelSlot, ModelSlotEvents } from '../../models/model-slot.ts';
import type { ServedEngine } from '../../served-engine.ts';
import type { StartProgress } from '../../start-options.ts';
import { FairQueue } from '../fair-queue.ts';
import type { ServerConfig } from '../server-config.ts';
import type { ModelConfig } from './plan-models.ts';
import type { Models, ServedModel, ServedModelStatus } from './served-model.ts';

/** One that is loaded in this process. */
interface LocalModel extends ServedModel {
  readonly slot: ModelSlot<ServedEngine>;
  readonly source: EngineSource;
  contextLength: number | undefined;
}

/** Names that requests brought, in memory or not: a client may make up any number of them. */
const MOST_PULLED = 64;

const TELL_EVERY_MS = 10_000;

export class ServedModels implements Models {
  readonly events = new Events<ModelSlotEvents<ServedEngine>>();
  readonly #config: ServerConfig;
  readonly #log: Logger;
  readonly #rooms: ModelRooms<ServedEngine>;
  readonly #models = new Map<string, LocalModel>();
  readonly #first: LocalModel;
  #onProgress: ((progress: StartProgress) => void) | undefined;
  #starting = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(config: ServerConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#rooms = new ModelRooms(this.#isAlone ? Number.POSITIVE_INFINITY : config.modelsMemoryBytes);
    const [first, ...others] = config.models;
    this.#first = this.#add(first);
    for (const model of others) this.#add(model);
    this.#rooms.events.on('loaded', (event) => this.#onLoaded(event));
    this.#rooms.events.on('unloaded', (event) => this.#onUnloaded(event));
    this.#rooms.events.on('failed', (event) => {
      // At the start it is said by who fails to start.
      if (!this.#starting) log.error({ model: event.name, err: event.error }, 'model not loaded');
      this.events.emit('failed', event);
      this.#forget(event.name);
    });
  }

  /** Served to who names none. */
  get first(): LocalModel {
    return this.#first;
  }

  get all(): readonly LocalModel[] {
    return [...this.#models.values()];
  }

  /** Where there is one and there can be no other. */
  get only(): LocalModel | undefined {
    return this.#isAlone ? this.#first : undefined;
  }

  get names(): readonly string[] {
    return [...this.#models.keys()];
  }

  /** Tokens; infinite while one of them is not known, for then nobody can say that a prompt is too long for it. */
  get longestContext(): number {
    return Math.max(...this.all.map(({ contextLength }) => contextLength ?? Number.POSITIVE_INFINITY));
  }

  get usedBytes(): number {
    return this.#rooms.usedBytes;
  }

  /** Engines that are in memory. */
  get engines(): readonly { readonly name: string; readonly engine: ServedEngine }[] {
    return this.all.flatMap(({ slot: { name, engine } }) => (engine === undefined ? [] : [{ name, engine }]));
  }

  get status(): readonly ServedModelStatus[] {
    return this.all.map(({ config, slot, queue }) => ({
      ...{ name: config.name, model: config.resolved.model, state: slot.state },
      ...{ running: queue.used, waiting: queue.waiting, memoryBytes: slot.memoryBytes },
    }));
  }

  get(name: string): ServedModel | undefined {
    return this.#models.get(name);
  }

  /** @throws TroupeError `QUEUE_FULL` when requests have brought too many names */
  named(name: string): ServedModel {
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    if (this.#models.size - this.#config.models.length >= MOST_PULLED) {
      throw new TroupeError('too many models are asked for', { code: 'QUEUE_FULL', retrySafe: true });
    }
    return this.#add(this.#config.modelNamed(name));
  }

  async lease({ config }: ServedModel, signal: AbortSignal): Promise<ModelLease<ServedEngine>> {
    return await this.#rooms.lease(config.name, signal);
  }

  /**
   * Loads those that are to be there from the start; of several as many as there is room for.
   * @throws what the only model fails with, or the first of several
   */
  async start(
    onProgress: ((progress: StartProgress) => void) | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    this.#onProgress = onProgress;
    this.#starting = true;
    for (const model of this.all.filter(({ config }) => config.preload)) {
      await this.#preload(model, signal);
    }
    this.#onProgress = undefined;
    this.#starting = false;
  }

  /** A request has ended. */
  ended(model: ServedModel): void {
    this.#forget(model.config.name);
  }

  async #preload({ config: { name } }: ServedModel, signal: AbortSignal): Promise<void> {
    try {
      (await this.#rooms.lease(name, signal, true)).release();
    } catch (error) {
      if (!TroupeError.is(error) || error.code !== 'MODEL_HAS_NO_ROOM') throw error;
      this.#log.warn({ model: name }, 'no room to load it at the start');
    }
  }

  async close(reason: TroupeError): Promise<StopReport> {
    await this.#rooms.close(reason);
    return { quarantined: this.all.flatMap(({ source }) => source.quarantined) };
  }

  get #isAlone(): boolean {
    return this.#config.models.length === 1 && !this.#config.allowPull;
  }

  #add(config: ModelConfig): LocalModel {
    const { name, engine, resolved, keepAliveMs, memoryBytes, counted, maxInFlight } = config;
    const onProgress = (progress: StartProgress) => this.#tell(name, progress);
    const source = new EngineSource({
      name,
      engine,
      resolved,
      keepAliveMs,
      memoryBytes,
      counted,
      onProgress,
    });
    const slot = this.#rooms.add(source);
    const queue = new FairQueue({ places: maxInFlight, waiting: this.#config.queue.maxQueued });
    const model: LocalModel = { config, queue, slot, source, contextLength: undefined };
    this.#models.set(name, model);
    return model;
  }

  /** To who waits for the start; later to the log, for fetching a model takes minutes. */
  #tell(model: string, progress: StartProgress): void {
    this.#onProgress?.(progress);
    const { phase, download } = progress;
    const nowMs = performance.now();
    if (this.#starting || phase !== 'downloading' || nowMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    this.#log.info({ model, ...download }, 'fetching model');
  }

  #onLoaded(event: ModelSlotEvents<ServedEngine>['loaded'][0]): void {
    const { name, engine, loadMs } = event;
    const model = this.#models.get(name);
    if (model !== undefined) model.contextLength = engine.contextLength;
    if (!this.#isAlone) {
      const { usedBytes } = this;
      this.#log.info({ model: name, loadMs: Math.round(loadMs), usedBytes }, 'model loaded');
    }
    this.events.emit('loaded', event);
  }

  #onUnloaded(event: ModelSlotEvents<ServedEngine>['unloaded'][0]): void {
    if (!this.#isAlone) this.#log.info({ model: event.name, reason: event.reason }, 'model unloaded');
    this.events.emit('unloaded', event);
    this.#forget(event.name);
  }

  /** One that a request brought, when nobody wants it any more. */
  #forget(name: string): void {
    const model = this.#models.get(name);
    if (model === undefined || this.#config.models.includes(model.config)) return;
    if (model.queue.used + model.queue.waiting > 0) return;
    if (this.#rooms.remove(name)) this.#models.delete(name);
  }
}
