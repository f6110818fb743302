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
import { EventEmitter } from 'eventemitter3';
import { InputError } from '../actors/errors.ts';
import { isGpu } from '../actors/gpu/device.ts';
import { gpuInUse } from '../actors/gpu/gpu-errors.ts';
import { isGpuOwned } from '../actors/gpu/gpu-lock.ts';
import { telemetryOff } from '../actors/inference/telemetry.ts';
import { TroupeError } from '../runtime/errors.ts';
import type { StopReport } from '../runtime/system/actor-system.ts';
import type { SystemEvents } from '../runtime/system/system-events.ts';
import { throwIfAborted } from '../runtime/util/aborted.ts';
import { assertDuration, assertFunction, assertOptions, assertSignal, assertText } from './caller-input.ts';
import { ChatRun } from './chat-run.ts';
import type { ChatOptions, ChatResult, ChatStream, Mode } from './chat-types.ts';
import { planPrefill, withinMemory } from './config/prefill-plan.ts';
import { type ResolvedConfig, resolveConfig } from './config/resolve-config.ts';
import { thisMachine } from './config/this-machine.ts';
import { planThreads } from './config/thread-plan.ts';
import { planSharing } from './config/weight-sharing.ts';
import { chooseDevices, type Devices } from './devices/choose-devices.ts';
import { type EngineHealth, type EngineStats, engineHealth, systemStats } from './engine-stats.ts';
import { loadModel } from './inspect/load-model.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { platformObstacle } from './platform.ts';
import { type SharedWeights, shareWeights } from './share-weights.ts';
import type { StartOptions, StopOptions } from './start-options.ts';
import { submittedChat } from './submitted-chat.ts';
import type { TroupeEvents } from './troupe-events.ts';

/** Bytes that were let go of, by actor and by shared cache (`image-embeddings`). */
export type ClearedCaches = Readonly<Record<string, number>>;

/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * An engine that answers questions about images: actors on worker threads, with their model loaded. It keeps the process
 * alive until it is stopped.
 *
 * @example
 * ```ts
 * import { Troupe } from 'troupe';
 *
 * await using troupe = await Troupe.start();
 * const { text } = await troupe.chat({
 *   messages: [
 *     {
 *       role: 'user',
 *       content: [
 *         { type: 'image', image: 'photo.png' },
 *         { type: 'text', text: 'What is in this image?' },
 *       ],
 *     },
 *   ],
 * });
 * console.log(text);
 * ```
 */
export class Troupe implements AsyncDisposable {
  /** Lifecycle of actors and requests. */
  readonly events = new EventEmitter<TroupeEvents>();
  /** Tokens that a prompt and its answer have together. */
  readonly contextLength: number;
  readonly #config: ResolvedConfig;
  readonly #pipeline: Pipeline;
  readonly #weights: readonly SharedWeights[];
  readonly #runs = new Set<ChatRun>();
  #stopped: Promise<StopReport> | undefined;

  private constructor(
    config: ResolvedConfig,
    contextLength: number,
    pipeline: Pipeline,
    weights: readonly SharedWeights[],
  ) {
    this.#config = config;
    this.contextLength = contextLength;
    this.#pipeline = pipeline;
    this.#weights = weights;
    forward(pipeline.system.events, this.events);
  }

  /**
   * Reads the model's files, starts the actors and resolves when they are ready.
   * @throws InputError `INVALID_OPTION`; ModelError when the model cannot be used, or not in this mode; TroupeError
   *   `PLATFORM_UNSUPPORTED` where onnxruntime has no library for this machine, `TELEMETRY_NOT_OFF`
   */
  static async start(options: StartOptions = {}): Promise<Troupe> {
    assertOptions(options, 'Give an object with options of Troupe.start, or nothing');
    const { onProgress = () => {}, signal, ...rest } = options;
    assertFunction(onProgress, 'onProgress');
    assertSignal(signal);
    const config = resolveConfig(rest);
    const obstacle = platformObstacle();
    if (obstacle !== undefined) throw obstacle;
    await telemetryOff();
    onProgress({ phase: 'inspecting', message: `reading ${config.model}` });
    const directory = await loadModel(config);
    throwIfAborted(signal);
    const machine = thisMachine(directory);
    const threads = planThreads(config.mode, config.pools, machine);
    const devices = await chooseDevices(config.devices, {
      aggregated: config.mode === 'aggregated',
      weightBytes: machine.weightBytes,
      several: { encoder: (threads.encoder?.count ?? 1) > 1, pd: threads.pd.count > 1 },
    });
    await refuseSecondGpuOwner(devices);
    throwIfAborted(signal);
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
    throwIfAborted(signal);
    onProgress({ phase: 'starting', message: `starting actors (${config.mode})` });
    const started = withinMemory(plan, config.pools.prefill, shared.weights);
    const pipeline = await startPipeline(shared.directory, config, started, devices);
    const troupe = new Troupe(config, directory.geometry.contextLength, pipeline, shared.weights);
    if (signal?.aborted) await troupe.stop();
    throwIfAborted(signal);
    onProgress({ phase: 'ready', message: 'ready' });
    return troupe;
  }

  /** How the actors share the work. */
  get mode(): Mode {
    return this.#config.mode;
  }

  /** Path of the model directory. */
  get model(): string {
    return this.#config.model;
  }

  /**
   * Answers a request, all at once. Nobody waits for its tokens one by one, so other prompts may be run before them:
   * of many such requests together, all are answered sooner.
   *
   * @throws InputError when the request is wrong; TroupeError `ABORTED`, `DEADLINE_EXCEEDED`, `ENGINE_STOPPED`; ActorError
   *   `ACTOR_DIED` when its actor died, after `retries` or once it had begun to answer
   */
  async chat(request: ChatOptions): Promise<ChatResult> {
    const stream = this.#submit(request, false);
    for await (const _delta of stream) {
      // Consuming is what gives the writer credit.
    }
    return await stream.result;
  }

  /**
   * Answers a request as it is made. Ending the loop early, `abort` or the request's signal stops its compute. The loop and
   * `result` fail as `chat` does.
   *
   * @example
   * ```ts
   * import { type ChatMessage, Troupe } from 'troupe';
   *
   * const messages: ChatMessage[] = [
   *   {
   *     role: 'user',
   *     content: [
   *       { type: 'image', image: new URL('https://example.org/photo.png') },
   *       { type: 'text', text: 'What is in this image?' },
   *     ],
   *   },
   * ];
   * await using troupe = await Troupe.start();
   * const stream = troupe.stream({ messages, maxTokens: 200, signal: AbortSignal.timeout(5_000) });
   * for await (const { text } of stream) process.stdout.write(text);
   * const { finishReason, usage } = await stream.result;
   * console.log(finishReason, usage.completionTokens);
   * ```
   *
   * @throws TroupeError `ENGINE_STOPPED`, InputError when the request cannot be submitted at all
   */
  stream(request: ChatOptions): ChatStream {
    return this.#submit(request, true);
  }

  /** Who is up and how busy, at once and without asking the actors. */
  health(): EngineHealth {
    return engineHealth(this.#pipeline.system, this.#runs.size);
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
    assertText(actor, 'actor', 'Give the name of an actor, such as pd/0');
    return this.#pipeline.system.crash(actor);
  }

  /**
   * Takes no more requests, lets those in flight go on for `drainMs`, then stops every actor cooperatively. Repeated
   * calls share one stop.
   *
   * @throws InputError `INVALID_OPTION`; nothing is stopped then
   */
  async stop(options: StopOptions = {}): Promise<StopReport> {
    assertOptions(options, 'Give an object with drainMs, or nothing');
    assertDuration(options.drainMs, 'drainMs');
    this.#stopped ??= this.#stop(options);
    return await this.#stopped;
  }

  /** Stops the engine at the end of an `await using` block, without a drain. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #submit(request: ChatOptions, streamed: boolean): ChatStream {
    if (this.#stopped !== undefined) throw stoppedError();
    const chat = submittedChat(request);
    const requestId = randomUUID();
    const run = new ChatRun(chat, request.signal, {
      entry: this.#pipeline.entry,
      requestId,
      mode: this.#config.mode,
      streamed,
      timeoutMs: checkedTimeout(request.timeoutMs) ?? this.#config.requestTimeoutMs,
      retries: this.#config.retries,
      limits: this.#config.limits,
      onRetry: (attempt, error) => this.events.emit('request:retry', { requestId, attempt, error }),
    });
    this.#track(run, requestId);
    return run;
  }

  async #stop({ drainMs = 0 }: StopOptions): Promise<StopReport> {
    if (drainMs > 0) await this.#drained(drainMs);
    for (const run of this.#runs) run.abort(stoppedError());
    return await this.#pipeline.system.stop();
  }

  async #drained(drainMs: number): Promise<void> {
    const settled = Promise.allSettled([...this.#runs].map((run) => run.result));
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.min(drainMs, MAX_TIMER_MS));
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

function forward(from: EventEmitter<SystemEvents>, to: EventEmitter<TroupeEvents>): void {
  from.on('actor:up', (event) => to.emit('actor:up', event));
  from.on('actor:down', (event) => to.emit('actor:down', event));
  from.on('actor:restarting', (event) => to.emit('actor:restarting', event));
  from.on('actor:escalated', (event) => to.emit('actor:escalated', event));
  from.on('actor:quarantined', (event) => to.emit('actor:quarantined', event));
  from.on('dead-letter', (event) => to.emit('dead-letter', event));
}

function stoppedError(): TroupeError {
  return new TroupeError('the engine is stopped', { code: 'ENGINE_STOPPED' });
}
