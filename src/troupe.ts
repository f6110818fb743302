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
import type { ModelError } from '../actors/errors.ts';
import { changedError, type FileChange } from '../actors/model/file-stamps.ts';
import type { TokenizedPrompt, TokenPieces } from '../actors/tokenized-prompt.ts';
import { type ToolStyle, toolStyleOf } from '../actors/tools/tool-style.ts';
import { TroupeError } from '../runtime/errors.ts';
import type { StopReport } from '../runtime/system/actor-system.ts';
import type { SystemEvents } from '../runtime/system/system-events.ts';
import { throwIfAborted } from '../runtime/util/aborted.ts';
import { Events, guarded } from '../runtime/util/events.ts';
import { assertDuration, assertFunction, assertOptions, assertSignal, assertText } from './caller-input.ts';
import type { ChatOptions, ChatResult, ChatStream, Mode } from './chat-types.ts';
import { type ResolvedConfig, resolveConfig } from './config/resolve-config.ts';
import { EngineRequests } from './engine-requests.ts';
import { type EngineHealth, type EngineStats, engineHealth, systemStats } from './engine-stats.ts';
import { noteLeftBehind } from './left-behind.ts';
import { ModelWatch } from './model-watch.ts';
import { noticesOf } from './notices.ts';
import type { Pipeline } from './pipeline.ts';
import type { PlacedModel } from './place-weights.ts';
import { readBlobs } from './read-blobs.ts';
import type { AnySchema } from './schema/any-schema.ts';
import {
  type ObjectOf,
  type ObjectOptions,
  type ObjectResult,
  ObjectRun,
  type ObjectStream,
  withObject,
} from './schema/object-result.ts';
import type { SharedWeights } from './share-weights.ts';
import { startEngine } from './start-engine.ts';
import type { StartOptions, StartProgress, StopOptions } from './start-options.ts';
import { submittedChat } from './submitted-chat.ts';
import type { TroupeEvents } from './troupe-events.ts';

/** Bytes that were let go of, by actor and by shared cache (`image-embeddings`). */
export type ClearedCaches = Readonly<Record<string, number>>;

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
  readonly events = new Events<TroupeEvents>();
  /** Tokens that a prompt and its answer have together. */
  readonly contextLength: number;
  readonly #config: ResolvedConfig;
  readonly #model: string;
  readonly #pipeline: Pipeline;
  readonly #toolStyle: ToolStyle;
  readonly #requests: EngineRequests;
  readonly #weights: readonly SharedWeights[];
  readonly #notices: readonly string[];
  readonly #watch: ModelWatch;
  /** A file of the model that is in use was written to. */
  #spoilt: ModelError | undefined;
  #stopped: Promise<StopReport> | undefined;

  private constructor(config: ResolvedConfig, pipeline: Pipeline, placed: PlacedModel) {
    const { directory, weights, watched: stamps, cacheFolders } = placed;
    this.#config = config;
    this.#model = directory.path;
    this.contextLength = directory.geometry.contextLength;
    this.#pipeline = pipeline;
    this.#toolStyle = config.toolCallParser ?? toolStyleOf(directory.chatTemplate);
    this.#requests = new EngineRequests(config, pipeline, this.#toolStyle, this.events);
    this.#weights = weights;
    this.#notices = noticesOf(placed);
    forward(pipeline.system.events, this.events);
    this.#watch = new ModelWatch({ stamps, cacheFolders }, (change) => this.#onModelChange(change));
  }

  /**
   * Reads the model's files, starts the actors and resolves when they are ready.
   * @throws InputError `INVALID_OPTION`; ModelError when the model cannot be used, or not in this mode; TroupeError
   *   `PLATFORM_UNSUPPORTED` where onnxruntime has no library for this machine, `TELEMETRY_NOT_OFF`
   */
  static async start(options: StartOptions = {}): Promise<Troupe> {
    assertOptions(options, 'Give an object with options of Troupe.start, or nothing');
    const { signal, onProgress: told, ...rest } = options;
    assertFunction(told ?? (() => {}), 'onProgress');
    assertSignal(signal);
    const onProgress = (progress: StartProgress) => guarded('onProgress', () => told?.(progress));
    const config = resolveConfig(rest);
    const { pipeline, placed } = await startEngine(config, onProgress, signal);
    const troupe = new Troupe(config, pipeline, placed);
    if (signal?.aborted) await troupe.stop();
    throwIfAborted(signal);
    onProgress({ phase: 'ready', message: 'ready' });
    return troupe;
  }

  /** How the actors share the work. */
  get mode(): Mode {
    return this.#config.mode;
  }

  /** What is not as good as it could be, and why, a sentence each: derived files that cannot be kept on disk. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  /** Path of the model directory; of a model that was given by its name, the one in the Hub's cache. */
  get model(): string {
    return this.#model;
  }

  /**
   * Answers a request with an object of a schema: the answer is held to it while it is made, and checked by it afterwards.
   *
   * @example
   * ```ts
   * import { Troupe } from 'troupe';
   * import { z } from 'zod';
   *
   * const schema = z.object({ shop: z.string(), total: z.number() });
   * const content = [
   *   { type: 'image', image: 'receipt.png' },
   *   { type: 'text', text: 'Read this receipt.' },
   * ] as const;
   * await using troupe = await Troupe.start();
   * const { object } = await troupe.chat({ messages: [{ role: 'user', content }], schema });
   * console.log(object.total.toFixed(2));
   * ```
   *
   * @throws as without a schema; InputError `INVALID_SCHEMA`, `CONSTRAINT_INVALID`, `CONSTRAINT_UNSUPPORTED`,
   *   `CONSTRAINT_TOO_LARGE`; TroupeError `OBJECT_INCOMPLETE` when the answer was cut short, `OBJECT_INVALID` when the schema
   *   asks for what JSON Schema cannot say, and does not get it
   */
  chat<Options extends ObjectOptions<AnySchema>>(request: Options): Promise<ObjectResult<ObjectOf<Options>>>;
  /**
   * Answers a request, all at once. Nobody waits for its tokens one by one, so other prompts may be run before them:
   * of many such requests together, all are answered sooner.
   *
   * @throws InputError when the request is wrong; TroupeError `ABORTED`, `DEADLINE_EXCEEDED`, `ENGINE_STOPPED`; ActorError
   *   `ACTOR_DIED` when its actor died, after `retries` or once it had begun to answer
   */
  chat(request: ChatOptions): Promise<ChatResult>;
  async chat(request: ChatOptions | ObjectOptions<AnySchema>): Promise<ChatResult> {
    const stream = this.#submit(request, false);
    for await (const _delta of stream) {
      // Consuming is what gives the writer credit.
    }
    const result = await stream.result;
    return 'schema' in request && request.schema !== undefined ? withObject(result, request.schema) : result;
  }

  /**
   * Answers a request with an object of a schema, as it is made: deltas are its text, the result has the object.
   *
   * @throws as without a schema; `result` fails as that of `chat` does
   */
  stream<Options extends ObjectOptions<AnySchema>>(request: Options): ObjectStream<ObjectOf<Options>>;
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
  stream(request: ChatOptions): ChatStream;
  stream(request: ChatOptions | ObjectOptions<AnySchema>): ChatStream {
    const stream = this.#submit(request, true);
    return 'schema' in request && request.schema !== undefined
      ? new ObjectRun(stream, request.schema)
      : stream;
  }

  /**
   * The tokens of a prompt, as the model would read it; nothing is run.
   * @param pieces what of each is wanted beside its id
   * @throws what `chat` throws @internal
   */
  async tokenize({ signal, ...request }: ChatOptions, pieces?: TokenPieces): Promise<TokenizedPrompt> {
    this.#assertServing();
    const chat = await readBlobs(submittedChat(request, this.#toolStyle), this.#config.limits);
    const asked = { requestId: randomUUID(), chat, pieces };
    return await this.#pipeline.entry.ask('tokenize', asked, signal && { signal });
  }

  /** The text of tokens, control tokens included. @throws InputError `INVALID_CONTENT` @internal */
  async detokenize(tokens: readonly number[], signal?: AbortSignal): Promise<string> {
    this.#assertServing();
    return await this.#pipeline.entry.ask('detokenize', tokens, signal && { signal });
  }

  /** Who is up and how busy, at once and without asking the actors. */
  health(): EngineHealth {
    return engineHealth(this.#pipeline.system, this.#requests.size, this.#spoilt !== undefined);
  }

  /** Load and counters of every actor, arenas, caches, shared weights and requests. */
  async stats(): Promise<EngineStats> {
    const stats = await systemStats(this.#pipeline.system);
    return { requestsInFlight: this.#requests.size, weights: this.#weights, ...stats };
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

  #submit(request: ChatOptions | ObjectOptions<AnySchema>, wantsStream: boolean): ChatStream {
    this.#assertServing();
    return this.#requests.submit(request, wantsStream);
  }

  #assertServing(): void {
    if (this.#stopped !== undefined) throw stoppedError();
    if (this.#spoilt !== undefined) throw this.#spoilt;
  }

  #onModelChange(change: FileChange): void {
    if (change.inPlace) {
      const error = changedError(change);
      this.#spoilt = error;
      this.#requests.abort(error);
    }
    this.events.emit('model:changed', change);
  }

  async #stop({ drainMs = 0 }: StopOptions): Promise<StopReport> {
    this.#watch.stop();
    if (drainMs > 0) await this.#requests.drained(drainMs);
    this.#requests.abort(stoppedError());
    const { system } = this.#pipeline;
    const report = await system.stop();
    noteLeftBehind(report.quarantined.length);
    return report;
  }
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
