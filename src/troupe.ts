/**
 * The programmatic API: an engine that answers questions about images, made of actors on worker threads.
 *
 *     await using troupe = await Troupe.start();
 *     const { text } = await troupe.chat({
 *       messages: [{ role: 'user', content: [
 *         { type: 'image', image: 'photo.png' },
 *         { type: 'text', text: 'What is in this image?' },
 *       ] }],
 *     });
 */
import { randomUUID } from 'node:crypto';
import { InputError, type ModelError } from '../actors/errors.ts';
import { isGpu } from '../actors/gpu/device.ts';
import { gpuInUse } from '../actors/gpu/gpu-errors.ts';
import { isGpuOwned } from '../actors/gpu/gpu-memory.ts';
import { changedError, type FileChange } from '../actors/model/file-stamps.ts';
import { TroupeError } from '../runtime/errors.ts';
import type { StopReport } from '../runtime/system/actor-system.ts';
import type { SystemEvents } from '../runtime/system/system-events.ts';
import { Events, guarded } from '../runtime/util/events.ts';
import { after } from '../runtime/util/timers.ts';
import { ChatRun } from './chat-run.ts';
import type { ChatOptions, ChatResult, ChatStream, Mode } from './chat-types.ts';
import type { TroupeOptions } from './config/options.ts';
import { planPrefill, withinMemory } from './config/prefill-plan.ts';
import { type ResolvedConfig, resolveConfig } from './config/resolve-config.ts';
import { thisMachine } from './config/this-machine.ts';
import { planThreads } from './config/thread-plan.ts';
import { planSharing } from './config/weight-sharing.ts';
import { chooseDevices, type Devices } from './devices/choose-devices.ts';
import { type EngineHealth, type EngineStats, engineHealth, systemStats } from './engine-stats.ts';
import { loadModel } from './inspect/load-model.ts';
import { ModelWatch } from './model-watch.ts';
import { noticesOf } from './notices.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { type SharedModel, type SharedWeights, shareWeights } from './share-weights.ts';
import { submittedChat } from './submitted-chat.ts';
import { Suspects } from './suspects.ts';

export interface StartProgress {
  readonly phase: 'inspecting' | 'starting' | 'ready';
  readonly message: string;
}

export interface StartOptions extends TroupeOptions {
  readonly onProgress?: (progress: StartProgress) => void;
  /** Gives up starting. What is being loaded is loaded first: native code cannot be interrupted. */
  readonly signal?: AbortSignal;
}

export interface StopOptions {
  /** Milliseconds that requests in flight may go on before they are failed. Default 0. */
  readonly drainMs?: number;
}

export interface TroupeEvents extends SystemEvents {
  /**
   * A file of the model is not what it was. Written to `inPlace`, it spoils what runs: the engine takes no more requests.
   * Otherwise another lies in its place: actors go on with what they have, and one that crashes cannot be restarted.
   */
  'model:changed': [FileChange];
  'request:start': [{ readonly requestId: string }];
  'request:retry': [{ readonly requestId: string; readonly attempt: number; readonly error: TroupeError }];
  'request:end': [{ readonly requestId: string; readonly result?: ChatResult; readonly error?: unknown }];
}

/** Bytes that were let go of, by actor and by shared cache (`image-embeddings`). */
export type ClearedCaches = Readonly<Record<string, number>>;

export class Troupe implements AsyncDisposable {
  /** Lifecycle of actors and requests. */
  readonly events = new Events<TroupeEvents>();
  readonly #config: ResolvedConfig;
  readonly #pipeline: Pipeline;
  readonly #weights: readonly SharedWeights[];
  readonly #notices: readonly string[];
  readonly #runs = new Set<ChatRun>();
  readonly #suspects = new Suspects((actor) => this.#pipeline.system.forgive(actor));
  readonly #watch: ModelWatch;
  /** A file of the model that is in use was written to. */
  #spoilt: ModelError | undefined;
  #stopped: Promise<StopReport> | undefined;

  private constructor(config: ResolvedConfig, pipeline: Pipeline, { directory, weights }: SharedModel) {
    this.#config = config;
    this.#pipeline = pipeline;
    this.#weights = weights;
    this.#notices = noticesOf(directory, weights);
    pipeline.system.events.on('actor:quarantined', ({ actor }) => this.#suspects.actorLeft(actor));
    pipeline.system.events.on('actor:down', ({ actor, error }) => {
      if (error !== undefined) this.#suspects.actorDied(actor);
    });
    pipeline.system.events.on('actor:hung', ({ work }) => this.#suspects.actorHung(work));
    forward(pipeline.system.events, this.events);
    this.#watch = new ModelWatch(directory.stamps, (change) => this.#onModelChange(change));
  }

  /**
   * Reads the model's files, starts the actors and resolves when they are ready.
   * @throws InputError `INVALID_OPTION`; ModelError when the model cannot be used, or not in this mode
   */
  static async start(options: StartOptions = {}): Promise<Troupe> {
    const { signal, onProgress: told, ...rest } = options;
    const onProgress = (progress: StartProgress) => guarded('onProgress', () => told?.(progress));
    const config = resolveConfig(rest);
    onProgress({ phase: 'inspecting', message: `reading ${config.model}` });
    const directory = await loadModel(config);
    signal?.throwIfAborted();
    const machine = thisMachine(directory);
    const threads = planThreads(config.mode, config.pools, machine);
    const devices = await chooseDevices(config.devices, {
      aggregated: config.mode === 'aggregated',
      weightBytes: machine.weightBytes,
      several: { encoder: (threads.encoder?.count ?? 1) > 1, pd: threads.pd.count > 1 },
    });
    await refuseSecondGpuOwner(devices);
    signal?.throwIfAborted();
    const plan = planPrefill(threads, config.pools.prefill, {
      directory,
      device: devices.pd,
      sharing: config.shareWeights,
    });
    const sharing = planSharing(config.mode, directory, plan, config.shareWeights, devices);
    if (sharing.some(({ share }) => share)) {
      onProgress({ phase: 'starting', message: 'preparing the weights that actors share' });
    }
    const shared = await shareWeights(directory, sharing);
    signal?.throwIfAborted();
    onProgress({ phase: 'starting', message: `starting actors (${config.mode})` });
    const started = withinMemory(plan, config.pools.prefill, shared.weights);
    const pipeline = await startPipeline(shared.directory, config, started, devices, signal);
    const troupe = new Troupe(config, pipeline, shared);
    if (signal?.aborted) await troupe.stop();
    signal?.throwIfAborted();
    onProgress({ phase: 'ready', message: 'ready' });
    return troupe;
  }

  get mode(): Mode {
    return this.#config.mode;
  }

  /** What is not as good as it could be, and why, a sentence each: derived files that cannot be kept on disk. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  /** Path of the model directory. */
  get model(): string {
    return this.#config.model;
  }

  /**
   * Answers a request, all at once. Nobody waits for its tokens one by one, so other prompts may be run before them:
   * of many such requests together, all are answered sooner.
   */
  async chat(request: ChatOptions): Promise<ChatResult> {
    const stream = this.#submit(request, false);
    for await (const _delta of stream) {
      // Consuming is what gives the writer credit.
    }
    return await stream.result;
  }

  /** Answers a request as it is made. Ending the loop early, `abort` or the request's signal stops its compute. */
  stream(request: ChatOptions): ChatStream {
    return this.#submit(request, true);
  }

  /** Who is up and how busy, at once and without asking the actors. */
  health(): EngineHealth {
    return engineHealth(this.#pipeline.system, this.#runs.size, this.#spoilt !== undefined);
  }

  /** Load and counters of every actor, arenas, caches, shared weights and requests. */
  async stats(): Promise<EngineStats> {
    const stats = await systemStats(this.#pipeline.system);
    return { requestsInFlight: this.#runs.size, weights: this.#weights, ...stats };
  }

  /** Forgets image embeddings and idle KV memory (what Dynamo calls clear_kv_blocks). Running requests go on. */
  async clearCaches(): Promise<ClearedCaches> {
    const { system, caching } = this.#pipeline;
    const shared = system.caches.map((cache) => [cache.name, cache.clear()] as const);
    const cleared = await Promise.all(caching.map((pool) => system.control(pool, 'clearCaches')));
    const byActor = cleared.flatMap((actors) => [...actors].map(([actor, bytes]) => [actor, Number(bytes)]));
    return Object.fromEntries([...shared, ...byActor]);
  }

  /** Fault drill: crashes an actor (`pd/0`), as an error that nobody handles would. False if it is not up. */
  crash(actor: string): boolean {
    return this.#pipeline.system.crash(actor);
  }

  /** Takes no more requests, lets those in flight go on for `drainMs`, then stops every actor cooperatively. */
  stop(options: StopOptions = {}): Promise<StopReport> {
    this.#stopped ??= this.#stop(options);
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #submit(request: ChatOptions, streamed: boolean): ChatStream {
    if (this.#stopped !== undefined) throw stoppedError();
    if (this.#spoilt !== undefined) throw this.#spoilt;
    const chat = submittedChat(request);
    const requestId = randomUUID();
    const run = new ChatRun(chat, request.signal, {
      entry: this.#pipeline.entry,
      requestId,
      mode: this.#config.mode,
      streamed,
      timeoutMs: checkedTimeout(request.timeoutMs) ?? this.#config.requestTimeoutMs,
      retries: this.#config.retries,
      suspects: this.#suspects,
      onRetry: (attempt, error) => this.events.emit('request:retry', { requestId, attempt, error }),
    });
    this.#track(run, requestId);
    return run;
  }

  #onModelChange(change: FileChange): void {
    if (change.inPlace) {
      const error = changedError(change);
      this.#spoilt = error;
      for (const run of this.#runs) run.abort(error);
    }
    this.events.emit('model:changed', change);
  }

  async #stop({ drainMs = 0 }: StopOptions): Promise<StopReport> {
    this.#watch.stop();
    if (drainMs > 0) await this.#drained(drainMs);
    for (const run of this.#runs) run.abort(stoppedError());
    return await this.#pipeline.system.stop();
  }

  async #drained(drainMs: number): Promise<void> {
    const settled = Promise.allSettled([...this.#runs].map((run) => run.result));
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = after(drainMs, resolve);
    await Promise.race([settled, promise]);
    clearTimeout(timer);
  }

  #track(run: ChatRun, requestId: string): void {
    this.#runs.add(run);
    this.events.emit('request:start', { requestId });
    run.result.then(
      (result) => this.#ended(run, { requestId, result }),
      (error: unknown) => this.#ended(run, { requestId, error }),
    );
  }

  #ended(run: ChatRun, event: TroupeEvents['request:end'][0]): void {
    this.#runs.delete(run);
    if (event.result !== undefined) this.#suspects.answered();
    this.events.emit('request:end', event);
  }
}

function checkedTimeout(timeoutMs: number | undefined): number | undefined {
  if (timeoutMs === undefined || (Number.isFinite(timeoutMs) && timeoutMs > 0)) return timeoutMs;
  throw new InputError('INVALID_OPTION', 'is no time', {
    field: 'timeoutMs',
    value: String(timeoutMs),
    remedy: 'Give milliseconds, above 0',
  });
}

/** Said before anything is loaded; the actor's own lock is what enforces it. */
async function refuseSecondGpuOwner({ encoder, pd }: Devices): Promise<void> {
  if ((isGpu(encoder) || isGpu(pd)) && (await isGpuOwned())) throw gpuInUse('this engine');
}

function forward(from: Events<SystemEvents>, to: Events<TroupeEvents>): void {
  from.on('actor:up', (event) => to.emit('actor:up', event));
  from.on('actor:down', (event) => to.emit('actor:down', event));
  from.on('actor:restarting', (event) => to.emit('actor:restarting', event));
  from.on('actor:escalated', (event) => to.emit('actor:escalated', event));
  from.on('actor:hung', (event) => to.emit('actor:hung', event));
  from.on('actor:quarantined', (event) => to.emit('actor:quarantined', event));
  from.on('dead-letter', (event) => to.emit('dead-letter', event));
}

function stoppedError(): TroupeError {
  return new TroupeError('the engine is stopped', { code: 'ENGINE_STOPPED' });
}
