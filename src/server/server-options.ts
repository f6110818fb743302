/** What a server can be told, in words for people and editors; `server-schema.ts` is what checks it. */
import type { TroupeOptions } from '../config/options.ts';
import type { GivenServerOptions } from './server-schema.ts';

/** How many requests are taken in. */
export interface QueueOptions {
  /** Requests in the engine at once. Default: twice what it decodes together; of a gateway: what its nodes take. */
  readonly maxInFlight?: number;
  /** Requests waiting for a place in the engine; more are refused with 429. Default 128. */
  readonly maxQueued?: number;
}

/** Bounds on clients and their requests. */
export interface HttpOptions {
  /** Origins of web pages that may call this server, as `https://app.example`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Open connections. Default 1024. */
  readonly maxConnections?: number;
  /** Open connections of one address, or of one IPv6 /64 network. Default: a quarter of all. */
  readonly maxConnectionsPerAddress?: number;
  /** Proxies, or networks of them (`10.0.0.0/8`), whose `X-Forwarded-For` says who the client is. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Size of one request, bytes: as it comes, and inflated. Default 20 MiB. */
  readonly maxBodyBytes?: number;
  /**
   * Size of all requests being received or served, bytes; one client may have three quarters of it. Default: a share of
   * `limits.memoryBytes`, at most 256 MiB.
   */
  readonly maxBufferedBytes?: number;
  /** Milliseconds that a client has to send a request. Default 30,000. */
  readonly receiveTimeoutMs?: number;
  /** Bytes a second at which a body must come, over 5 seconds; 0 for any pace. Default 1,024. */
  readonly minBytesPerSecond?: number;
  /** Milliseconds that an idle connection is kept. Default 65,000. */
  readonly keepAliveTimeoutMs?: number;
  /** Milliseconds that a client may not read its answer before it is cut off. Default 30,000. */
  readonly stallTimeoutMs?: number;
}

/** The fleet that a server belongs to, and how its NATS servers are reached. See docs/fleet.md. */
export interface NatsOptions {
  /** Addresses of NATS servers, as `nats://host:4222`; a user and a password may be in them. Default: none, and no fleet. */
  readonly servers?: readonly string[];
  /** Name of the fleet, with which all subjects begin. Default `troupe`. */
  readonly fleet?: string;
  /** What this member is called, before a number of its own. Default: the name of the host. */
  readonly node?: string;
  /** File with credentials of NATS: user JWT and seed. */
  readonly credentialsFile?: string;
  /** File with the NKey seed of a user. */
  readonly nkeyFile?: string;
  /** File with certificates by which the servers are known; turns TLS on. Default: those of Node. */
  readonly caFile?: string;
  /** File with a certificate to show to the servers; turns TLS on. */
  readonly certificateFile?: string;
  /** File with its private key. */
  readonly keyFile?: string;
}

/** What is logged. */
export interface LogOptions {
  /** The least that is logged. Default `info`. */
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Log questions and answers too. Default false: sizes and times only. */
  readonly contents?: boolean;
}

/**
 * One of several models, with options of its own; those of the server hold where it has none. Limits, images and the time
 * that a request may take are the server's.
 */
export interface ServedModelOptions
  extends Omit<TroupeOptions, 'model' | 'limits' | 'images' | 'requestTimeoutMs'> {
  /** Model directory, or name of a model on the Hub. */
  readonly model: string;
  /** What clients call it. Default: its name on the Hub, or that of its directory. */
  readonly name?: string;
  /** Milliseconds without a request after which it is unloaded. Default: `modelKeepAliveMs`. */
  readonly keepAliveMs?: number;
  /** Load it at the start. Default: `preloadModels`. */
  readonly preload?: boolean;
  /** Bytes that it is counted at in `modelsMemoryBytes`. Default: by its files and options. */
  readonly memoryBytes?: number;
}

/**
 * How a server is made: the options of its engine, and its own. Every field has a default that is safe; in particular
 * images are fetched over https alone and read from no file, unless `images` says more.
 */
export interface ServerOptions extends Omit<TroupeOptions, 'model'> {
  /**
   * Model directory, or name of a model on the Hub; a list of them is served together. Default: the embedded model.
   */
  readonly model?: string | readonly string[];
  /** Several models, each with options of its own; in place of `model`. */
  readonly models?: readonly ServedModelOptions[];
  /**
   * Milliseconds without a request after which a model is unloaded. Default: 300,000 where there are several; a model alone
   * stays.
   */
  readonly modelKeepAliveMs?: number;
  /** Load several models at the start, as far as there is room, and not each with its first request. Default false. */
  readonly preloadModels?: boolean;
  /** Bytes for the models that are loaded together. Default: `limits.memoryBytes`. */
  readonly modelsMemoryBytes?: number;
  /** Fetch and serve any model of the Hub that a request names. Default false. */
  readonly allowPull?: boolean;
  /** Address to listen on. Default `127.0.0.1`: this machine alone. */
  readonly host?: string;
  /** Port to listen on, 0 for any that is free. Default 8000. */
  readonly port?: number;
  /** Keys of which clients must send one, 8 to 512 visible ASCII characters each. Default: none. */
  readonly apiKeys?: readonly string[];
  /** File with more of them, one a line. */
  readonly apiKeyFile?: string;
  /** Serve other machines without a key. Default false: such a server does not start. */
  readonly allowAnonymous?: boolean;
  /** Names that clients may call this server by on a loopback address, beside `localhost`. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** What clients call the model, where there is one. Default: its name on the Hub, or that of its directory. */
  readonly modelName?: string;
  /** Serve the playground page at `/`. Default true. */
  readonly playground?: boolean;
  /** Serve what the nodes of a fleet have, and no model of its own. Default false. */
  readonly gateway?: boolean;
  /** The fleet that this server belongs to. Default: none. */
  readonly nats?: NatsOptions;
  /** How many requests are taken in. */
  readonly queue?: QueueOptions;
  /** Bounds on clients and their requests. */
  readonly http?: HttpOptions;
  /** What is logged. */
  readonly log?: LogOptions;
  /** Milliseconds that running requests get when the server stops. Default 30,000. */
  readonly drainMs?: number;
}

/** A type without what the two ways of saying it may differ in: readonly, and undefined for absent. */
type Plain<T> = T extends readonly (infer Item)[]
  ? readonly Plain<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]-?: Plain<Exclude<T[Key], undefined>> }
    : T;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

// Does not compile when one of the two says what the other does not.
true satisfies Same<Plain<ServerOptions>, Plain<GivenServerOptions>>;
