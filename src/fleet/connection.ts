/**
 * The connection to the NATS servers of a fleet. It comes back by itself for as long as the process lives; what is said
 * meanwhile is not kept, because those who would hear it late have other ways to find out.
 */
import { readFile } from 'node:fs/promises';
import type { Msg, NatsConnection, NodeConnectionOptions, Subscription } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { InputError } from '../../actors/errors.ts';
import { messageOf } from '../../runtime/util/realms.ts';
import { after } from '../../runtime/util/timers.ts';
import { fleetUnreachable } from './fleet-errors.ts';
import type { FleetSettings } from './fleet-options.ts';
import { OUTAGE_MS } from './fleet-times.ts';

/** Between two tries to connect again, ms. */
const RECONNECT_MS = 250;
const CONNECT_MS = 5_000;
/** A server that does not answer two of these is gone; TCP alone would take minutes to notice. */
const PING_MS = 5_000;

/** Why a request over NATS got no answer: nobody listens there, or nobody answered in time. */
export type Unanswered = 'nobody' | 'late';

export class FleetConnection {
  /** As the client library has it. */
  readonly nats: NatsConnection;
  readonly #log: Logger;
  readonly #isUnanswered: (error: unknown) => Unanswered | undefined;
  #isConnected = true;
  #lostAt = 0;
  #onConnected = Promise.withResolvers<void>();

  private constructor(
    nats: NatsConnection,
    log: Logger,
    isUnanswered: (error: unknown) => Unanswered | undefined,
  ) {
    this.nats = nats;
    this.#log = log;
    this.#isUnanswered = isUnanswered;
    this.#onConnected.resolve();
    void this.#watch();
  }

  /** @throws InputError `INVALID_OPTION` for files that cannot be read; TroupeError `FLEET_UNREACHABLE`, `FLEET_REFUSED` */
  static async open(settings: FleetSettings, name: string, log: Logger): Promise<FleetConnection> {
    const library = await import('@nats-io/transport-node');
    const { connect, credsAuthenticator, errors, nkeyAuthenticator } = library;
    const { credentialsFile, nkeyFile } = settings;
    const authenticator =
      credentialsFile !== undefined
        ? credsAuthenticator(await read(credentialsFile, 'nats.credentialsFile'))
        : nkeyFile !== undefined
          ? nkeyAuthenticator(await seedOf(nkeyFile))
          : undefined;
    const options: NodeConnectionOptions = {
      ...serversOf(settings.servers),
      name,
      timeout: CONNECT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      pingInterval: PING_MS,
      maxPingOut: 2,
      ignoreAuthErrorAbort: true, // who gives out credentials may be away for a moment, too
      ...(authenticator !== undefined && { authenticator }),
      ...(await tlsOf(settings)),
    };
    const isUnanswered = (error: unknown): Unanswered | undefined => {
      if (error instanceof errors.TimeoutError) return 'late';
      if (error instanceof errors.NoRespondersError) return 'nobody';
      if (error instanceof errors.RequestError) return error.isNoResponders() ? 'nobody' : 'late';
      return undefined;
    };
    try {
      return new FleetConnection(await connect(options), log, isUnanswered);
    } catch (cause) {
      log.error({ reason: messageOf(cause) }, 'no connection to NATS');
      throw fleetUnreachable(cause);
    }
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Most bytes of a message. */
  get maxPayload(): number {
    return this.nats.info?.max_payload ?? 1024 * 1024;
  }

  /** How long there has been none, ms. */
  get outageMs(): number {
    return this.#isConnected ? 0 : performance.now() - this.#lostAt;
  }

  /**
   * Resolves when there is a connection.
   * @throws TroupeError `FLEET_UNREACHABLE` after `OUTAGE_MS` without; the signal's reason when it aborts
   */
  async ready(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#isConnected) return;
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = after(OUTAGE_MS - this.outageMs, () => reject(fleetUnreachable()));
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#onConnected.promise, promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** False when it could not be sent; there is nobody to be told of it. */
  publish(subject: string, data: Uint8Array): boolean {
    if (!this.#isConnected || this.nats.isClosed() || this.nats.isDraining()) return false;
    try {
      this.nats.publish(subject, data);
      return true;
    } catch (error) {
      this.#log.warn({ subject, reason: messageOf(error) }, 'not sent over NATS');
      return false;
    }
  }

  /** Asks, and says what came, or why nothing did. */
  async request(
    subject: string,
    data: Uint8Array,
    timeoutMs: number,
  ): Promise<{ readonly data: Uint8Array } | { readonly unanswered: Unanswered }> {
    if (!this.#isConnected) return { unanswered: 'late' };
    try {
      const { data: reply } = await this.nats.request(subject, data, { timeout: timeoutMs });
      return { data: reply };
    } catch (error) {
      const unanswered = this.#isUnanswered(error);
      if (unanswered === undefined)
        this.#log.warn({ subject, reason: messageOf(error) }, 'not asked over NATS');
      return { unanswered: unanswered ?? 'late' };
    }
  }

  /** Nothing that the handler throws ends the subscription. */
  subscribe(subject: string, handle: (message: Msg) => void): Subscription {
    return this.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) {
          this.#log.error({ subject, reason: messageOf(error) }, 'NATS refuses a subscription');
          return;
        }
        this.guard(subject, () => handle(message));
      },
    });
  }

  /** What comes over the wire may be anything: it is logged and dropped. */
  guard(subject: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.warn({ subject, reason: messageOf(error) }, 'a message of the fleet was dropped');
    }
  }

  /** Sends what is on its way, and ends. */
  async close(): Promise<void> {
    if (this.nats.isClosed()) return;
    if (this.#isConnected) await this.nats.flush().catch(() => undefined);
    await this.nats.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.nats.status()) {
      if (status.type === 'disconnect' && this.#isConnected) {
        this.#isConnected = false;
        this.#lostAt = performance.now();
        this.#onConnected = Promise.withResolvers();
        this.#log.warn({ server: status.server }, 'connection to NATS lost');
      } else if (status.type === 'reconnect') {
        this.#isConnected = true;
        this.#onConnected.resolve();
        this.#log.info({ server: status.server }, 'connected to NATS again');
      } else if (status.type === 'error') {
        this.#log.error({ reason: messageOf(status.error) }, 'NATS reports an error');
      }
    }
  }
}

/** The client library takes users apart from addresses: those of the first are given to all. */
function serversOf(servers: readonly string[]): NodeConnectionOptions {
  const parsed = servers.map((server) => /^((?:nats|tls):\/\/)?(?:([^@]*)@)?(.*)$/.exec(server) ?? []);
  const [, , login] = parsed.find(([, , given]) => given !== undefined) ?? [];
  const addresses = parsed.map(([, scheme = '', , host = '']) => scheme + host);
  if (login === undefined) return { servers: addresses };
  const [user = '', ...rest] = login.split(':').map(decoded);
  // As the command line of NATS has it: a name alone is a token.
  return { servers: addresses, ...(rest.length === 0 ? { token: user } : { user, pass: rest.join(':') }) };
}

/** As it is, where it is no escape. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function tlsOf({ caFile, certificateFile, keyFile }: FleetSettings): Promise<NodeConnectionOptions> {
  if (caFile === undefined && certificateFile === undefined && keyFile === undefined) return {};
  return {
    tls: {
      ...(caFile !== undefined && { ca: await text(caFile, 'nats.caFile') }),
      ...(certificateFile !== undefined && { cert: await text(certificateFile, 'nats.certificateFile') }),
      ...(keyFile !== undefined && { key: await text(keyFile, 'nats.keyFile') }),
    },
  };
}

/** Of a file that may have comments around the seed, as `nsc` and `nk` write it. */
async function seedOf(path: string): Promise<Uint8Array> {
  const [seed] = /\bS[UAONCX][A-Z2-7]{54,58}\b/.exec(await text(path, 'nats.nkeyFile')) ?? [];
  if (seed !== undefined) return new TextEncoder().encode(seed);
  const facts = { field: 'nats.nkeyFile', value: path, remedy: 'Give a file with the seed of a user (SU…)' };
  throw new InputError('INVALID_OPTION', 'holds no NKey seed', facts);
}

async function text(path: string, field: string): Promise<string> {
  return new TextDecoder().decode(await read(path, field));
}

async function read(path: string, field: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const facts = { field, value: path, remedy: 'Give a file that can be read' };
    throw new InputError('INVALID_OPTION', 'cannot be read', facts, cause);
  }
}
