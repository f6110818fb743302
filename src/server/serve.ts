/**
 * `serve`: an OpenAI-compatible server for one node. It listens before the model is loaded, so that a taken port is
 * found at once and `/health` can say `starting`.
 *
 *     await using server = await serve({ port: 8000 });
 *     console.log(server.url);
 */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { InputError } from '../../actors/errors.ts';
import { TroupeError } from '../../runtime/errors.ts';
import type { StopReport } from '../../runtime/system/actor-system.ts';
import { errorCodeOf, messageOf } from '../../runtime/util/realms.ts';
import { after } from '../../runtime/util/timers.ts';
import {
  assertDuration,
  assertFunction,
  assertLogger,
  assertOptions,
  assertSignal,
} from '../caller-input.ts';
import type { FleetNode } from '../fleet/node/fleet-node.ts';
import type { ServedEngine } from '../served-engine.ts';
import type { StartProgress } from '../start-options.ts';
import { createApp } from './http/create-app.ts';
import { endConnections } from './http/end-connections.ts';
import type { ServedModelStatus } from './models/served-model.ts';
import { logEngine } from './observe/log-engine.ts';
import { createLogger } from './observe/logger.ts';
import { type ServerConfig, serverConfig } from './server-config.ts';
import type { ServerOptions } from './server-options.ts';
import { ServerState } from './server-state.ts';

/** The options of a server, and how to follow its start. */
export interface ServeOptions extends ServerOptions {
  /** Where log records go. Default: JSON lines on standard output. */
  readonly logger?: Logger;
  /** Called while the model is loaded; the server listens already. */
  readonly onProgress?: (progress: StartProgress) => void;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
}

/**
 * Connections that the kernel keeps until they are taken, as many as Linux allows. What comes when it is full is dropped,
 * and tried again by its client after a second.
 */
const BACKLOG = 4096;

/** What the last answers need to reach their clients when time is up, ms. */
const LAST_WORDS_MS = 500;

/** Clients have gone elsewhere when nothing has come for so long, once the last running request has ended, ms. */
const QUIET_MS = 500;

/** However much still comes, ms. */
const MOST_QUIET_MS = 2_000;

const NEVER = new AbortController().signal;

/** A running server; made by `serve`. */
export class TroupeServer implements AsyncDisposable {
  /** `http://127.0.0.1:8000` */
  readonly url: string;
  readonly #app: FastifyInstance;
  readonly #state: ServerState;
  readonly #failed = Promise.withResolvers<TroupeError>();
  #node: FleetNode | undefined;
  #closed: Promise<StopReport> | undefined;

  private constructor(app: FastifyInstance, state: ServerState) {
    this.url = urlOf(app);
    this.#app = app;
    this.#state = state;
  }

  /** Resolves when the model is loaded and requests are served. @internal */
  static async start(config: ServerConfig, options: ServeOptions = {}): Promise<TroupeServer> {
    const log = options.logger ?? createLogger(config.log.level);
    const state = new ServerState(config, log);
    const app = createApp(state);
    try {
      await listen(app, config);
    } catch (error) {
      await state.bodies.close();
      throw error;
    }
    const server = new TroupeServer(app, state);
    const models = config.models.map(({ name, resolved }) => ({ name, model: resolved.model }));
    const what = models.length === 1 ? { model: models[0]?.model } : { models };
    log.info({ url: server.url, ...(config.gateway ? { gateway: true } : what) }, 'listening');
    const { limitBytes: memoryBytes, ...shares } = config.resolved.memory;
    const { maxBufferedBytes: bufferedBytes } = config.http;
    log.info({ memoryBytes, shares: { ...shares, bufferedBytes } }, 'memory');
    state.models.events.on('loaded', ({ name, engine }) => server.#watch(name, engine));
    try {
      const { onProgress, signal = NEVER } = options;
      await state.start(onProgress, signal);
      server.#node = await joinFleet(state);
    } catch (error) {
      await app.close();
      await state.bodies.close();
      await state.stop();
      throw error;
    }
    const { first } = state.models;
    log.info({ mode: first.config.resolved.mode, modelName: first.config.name }, 'ready');
    return server;
  }

  /**
   * Resolves when a part of the engine was given up for good: it answers nothing any more, `/live` says so, and only a new
   * process will. `troupe serve` then ends with exit code 1.
   */
  get failed(): Promise<TroupeError> {
    return this.#failed.promise;
  }

  #watch(name: string, engine: ServedEngine): void {
    const { log, models } = this.#state;
    const own =
      models.only === undefined && typeof log.child === 'function' ? log.child({ model: name }) : log;
    logEngine(engine, own);
    for (const notice of engine.notices) own.warn(notice);
    engine.events.on('actor:escalated', () => this.#lookForFailure(engine));
    engine.events.on('actor:quarantined', () => this.#lookForFailure(engine));
    engine.events.on('model:changed', () => this.#lookForFailure(engine));
  }

  #lookForFailure(engine: ServedEngine): void {
    const { failed } = engine.health();
    if (failed.length === 0) return;
    const parts = failed.join(', ');
    if (failed.includes('model')) {
      const message = 'a file of the model was written to while it was in use';
      this.#failed.resolve(new TroupeError(message, { code: 'MODEL_FILE_CHANGED' }));
    }
    this.#failed.resolve(
      new TroupeError(`a part of the engine was given up: ${parts}`, {
        code: 'ACTOR_ESCALATED',
        details: { actor: parts },
      }),
    );
  }

  /**
   * The engine behind the server; of several models that of the first.
   * @throws TroupeError `MODEL_NOT_LOADED` while it is not in memory
   */
  get engine(): ServedEngine {
    return this.#state.readyEngine();
  }

  /** The models that are served, in memory or not. */
  get models(): readonly ServedModelStatus[] {
    return this.#state.models.status;
  }

  /**
   * Takes no more requests (503), lets those that are running end within `drainMs`, fails the rest, and stops the engine
   * when clients have gone elsewhere. Repeated calls share one close.
   */
  async close(drainMs = this.#state.config.drainMs): Promise<StopReport> {
    assertDuration(drainMs, 'drainMs');
    this.#closed ??= this.#close(drainMs);
    return await this.#closed;
  }

  /** Closes the server at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(drainMs: number): Promise<StopReport> {
    const { log } = this.#state;
    log.info({ open: this.#state.open, drainMs }, 'draining');
    const drained = this.#state.drain(drainMs);
    this.#node?.drain();
    await drained;
    if (this.#state.open > 0) {
      log.warn({ open: this.#state.open }, 'failing what is left');
      this.#state.abandon();
      await this.#state.drain(LAST_WORDS_MS);
    }
    await endConnections(this.#app.server, { quietMs: Math.min(QUIET_MS, drainMs), mostMs: MOST_QUIET_MS });
    // What is just being answered is let end; idle connections are closed at once.
    const impatience = after(LAST_WORDS_MS, () => this.#app.server.closeAllConnections());
    await this.#app.close();
    clearTimeout(impatience);
    await this.#node?.leave();
    await this.#state.bodies.close();
    const report = await this.#state.stop();
    this.#state.metrics.registry.clear();
    log.info(report, 'stopped');
    return report;
  }
}

/**
 * Starts a server with an engine of its own. It listens at once, and the promise resolves when the model is loaded.
 *
 * @example
 * ```ts
 * import { serve } from 'troupe/server';
 *
 * await using server = await serve({ port: 8000, limits: { maxImages: 4 }, queue: { maxQueued: 64 } });
 * console.log(server.url, server.engine.health().ready);
 * ```
 *
 * @throws InputError `INVALID_OPTION`, `PORT_UNAVAILABLE`; ModelError when the model cannot be used
 */
export async function serve(options: ServeOptions = {}): Promise<TroupeServer> {
  assertOptions(options, 'Give an object with options of serve (docs/server.md), or nothing');
  const { logger, onProgress, signal, ...rest } = options;
  assertLogger(logger);
  assertFunction(onProgress, 'onProgress');
  assertSignal(signal);
  return await TroupeServer.start(serverConfig(rest), options);
}

/** Nodes alone: a gateway has joined when it has models. */
async function joinFleet(state: ServerState): Promise<FleetNode | undefined> {
  const { gateway, nats } = state.config;
  if (gateway || nats.servers.length === 0) return undefined;
  const { FleetNode } = await import('../fleet/node/fleet-node.ts');
  return await FleetNode.join(state);
}

async function listen(app: FastifyInstance, { host, port }: ServerConfig): Promise<void> {
  try {
    await app.listen({ host, port, backlog: BACKLOG });
  } catch (cause) {
    const code = errorCodeOf(cause) ?? messageOf(cause);
    const facts = { field: 'port', value: `${host}:${port}`, remedy: 'Choose another host or port' };
    throw new InputError('PORT_UNAVAILABLE', `cannot be listened on, ${code}`, facts, cause);
  }
}

function urlOf(app: FastifyInstance): string {
  const { address, family, port } = app.server.address() as AddressInfo; // it listens on TCP
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
