/** The options of a server: those of its engine, and its own. Every one has a default that is safe. */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { engineSchema } from '../config/engine-schema.ts';
import { setting } from '../config/setting.ts';
import { natsSchema } from '../fleet/fleet-options.ts';

const MIB = 1024 * 1024;
const milliseconds = z.number().min(1).max(86_400_000);
const whole = (min: number, max = 1_000_000_000) => z.number().int().min(min).max(max);

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8` */
function isNetwork(text: string): boolean {
  return ipaddr.isValid(text) ? !text.includes('%') : ipaddr.isValidCIDR(text);
}

const queueSchema = z.strictObject({
  maxInFlight: setting(whole(1, 65_536).optional(), {
    flag: '--max-in-flight <n>',
    help: 'requests in the engine at once (default: what it decodes together and as many again, 16 an actor at most; of a gateway: what its nodes take)',
    kind: 'number',
  }),
  maxQueued: setting(whole(0, 65_536).default(128), {
    flag: '--max-queued <n>',
    help: 'requests waiting for that; more are refused with 429 (default: 128)',
    kind: 'number',
  }),
});

/** As a browser sends it; those of extensions and desktop programs have schemes of their own. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/;

/** `HTTPS://App.example:443/` is what browsers call `https://app.example`. */
function asOrigin(text: string): string {
  const url = /^https?:/i.test(text) ? URL.parse(text) : null;
  const isBare = url?.pathname === '/' && url.search + url.hash + url.username === '';
  return url !== null && isBare ? url.origin : text.toLowerCase();
}

const originSchema = z
  .string()
  .transform(asOrigin)
  .refine((text) => ORIGIN.test(text), 'Must be an origin, as https://app.example: no path, no *');

const httpSchema = z.strictObject({
  allowedOrigins: setting(z.array(originSchema).default([]), {
    flag: '--allowed-origin <origin>',
    help: 'origin of web pages that may call this server, as https://app.example (default: none)',
    kind: 'list',
  }),
  maxConnections: setting(whole(1, 65_536).default(1024), {
    flag: '--max-connections <n>',
    help: 'open connections (default: 1024)',
    kind: 'number',
  }),
  maxConnectionsPerAddress: setting(whole(1, 65_536).optional(), {
    flag: '--max-connections-per-address <n>',
    help: 'open connections of one address, or IPv6 /64 network (default: a quarter of all)',
    kind: 'number',
  }),
  trustedProxies: setting(
    z.array(z.string().refine(isNetwork, 'Must be an address or a network')).default([]),
    {
      flag: '--trusted-proxy <address>',
      help: 'proxy, or network of them (10.0.0.0/8), whose X-Forwarded-For says who the client is',
      kind: 'list',
    },
  ),
  maxBodyBytes: setting(whole(1024).default(20 * MIB), {
    flag: '--max-body-bytes <n>',
    help: 'size of one request (default: 20 MiB)',
    kind: 'number',
  }),
  maxBufferedBytes: setting(whole(1024).optional(), {
    flag: '--max-buffered-bytes <n>',
    help: 'size of all requests being received or served (default: a share of the memory, at most 256 MiB)',
    kind: 'number',
  }),
  receiveTimeoutMs: setting(milliseconds.default(30_000), {
    flag: '--receive-timeout-ms <n>',
    help: 'time a client has to send a request (default: 30000)',
    kind: 'number',
  }),
  minBytesPerSecond: setting(whole(0).default(1024), {
    flag: '--min-bytes-per-second <n>',
    help: 'pace at which a body must come, over 5 seconds (default: 1024)',
    kind: 'number',
  }),
  keepAliveTimeoutMs: setting(milliseconds.default(65_000), {
    flag: '--keep-alive-timeout-ms <n>',
    help: 'time an idle connection is kept (default: 65000)',
    kind: 'number',
  }),
  stallTimeoutMs: setting(milliseconds.default(30_000), {
    flag: '--stall-timeout-ms <n>',
    help: 'time a client may not read its answer before it is cut off (default: 30000)',
    kind: 'number',
  }),
});

const logSchema = z.strictObject({
  level: setting(z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'), {
    flag: '--log-level <level>',
    help: 'debug, info, warn, error, silent (default: info)',
  }),
  contents: setting(z.boolean().default(false), {
    flag: '--log-contents',
    help: 'log questions and answers too (default: sizes and times only)',
    kind: 'boolean',
  }),
});

const modelName = z.string().regex(/^[\w.:/@-]{1,128}$/, 'Must be 1 to 128 of A-Z a-z 0-9 _ . : / @ -');

/** What a model of several may have of its own. Limits, images and the time of a request are the server's. */
const modelSchema = engineSchema
  .omit({ limits: true, images: true, requestTimeoutMs: true })
  .required({ model: true })
  .extend({
    name: modelName.optional(),
    keepAliveMs: z.number().min(0).optional(),
    preload: z.boolean().optional(),
    memoryBytes: z.number().int().min(1).optional(),
  });

export const serverSchema = engineSchema.extend({
  model: setting(z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(), {
    flag: '--model <name>',
    help: 'model directory, or name of a model on the Hub; several are served together (default: the embedded model)',
    kind: 'list',
  }),
  models: z.array(modelSchema).min(1).max(256).optional(),
  modelKeepAliveMs: setting(z.number().min(0).optional(), {
    flag: '--model-keep-alive-ms <n>',
    help: 'time without a request after which a model is unloaded (default: 300000 of several models; one alone stays)',
    kind: 'number',
  }),
  preloadModels: setting(z.boolean().default(false), {
    flag: '--preload-models',
    help: 'load several models at the start, as far as there is room (default: each with its first request)',
    kind: 'boolean',
  }),
  modelsMemoryBytes: setting(z.number().int().min(1).optional(), {
    flag: '--models-memory-bytes <n>',
    help: 'memory for models that are loaded together (default: --memory-bytes)',
    kind: 'number',
  }),
  allowPull: setting(z.boolean().default(false), {
    flag: '--allow-pull',
    help: 'fetch and serve any model of the Hub that a request names (default: those configured alone)',
    kind: 'boolean',
  }),
  host: setting(z.string().min(1).default('127.0.0.1'), {
    flag: '--host <address>',
    help: 'address to listen on (default: 127.0.0.1)',
  }),
  port: setting(whole(0, 65_535).default(8000), {
    flag: '--port <n>',
    help: 'port to listen on, 0 for any that is free (default: 8000)',
    kind: 'number',
  }),
  apiKeys: setting(
    z
      .array(z.string().regex(/^[\x21-\x7e]{8,512}$/, 'Must be 8 to 512 visible ASCII characters'))
      .default([]),
    {
      flag: '--api-key <key>',
      help: 'key that clients must send; also turns the admin routes on',
      kind: 'list',
      secret: true,
    },
  ),
  apiKeyFile: setting(z.string().min(1).optional(), {
    flag: '--api-key-file <file>',
    help: 'file with keys, one a line',
  }),
  allowAnonymous: setting(z.boolean().default(false), {
    flag: '--allow-anonymous',
    help: 'serve other machines without a key',
    kind: 'boolean',
  }),
  allowedHosts: setting(z.array(z.string().min(1)).default([]), {
    flag: '--allowed-host <name>',
    help: 'name that clients may call this server by, beside localhost',
    kind: 'list',
  }),
  modelName: setting(modelName.optional(), {
    flag: '--model-name <name>',
    help: 'what clients call the model (default: its name on the Hub, or that of its directory)',
  }),
  playground: setting(z.boolean().default(true), {
    flag: '--no-playground',
    help: 'serve no page at /',
    kind: 'boolean',
  }),
  /** Serve what the nodes of a fleet have, and no model of its own: `troupe gateway`. */
  gateway: z.boolean().default(false),
  nats: natsSchema.prefault({}),
  queue: queueSchema.prefault({}),
  http: httpSchema.prefault({}),
  log: logSchema.prefault({}),
  drainMs: setting(z.number().min(0).max(3_600_000).default(30_000), {
    flag: '--drain-ms <n>',
    help: 'time that running requests get when the server stops (default: 30000)',
    kind: 'number',
  }),
});

/** As it may be given: what is absent has its default. `ServerOptions` says the same in words. */
export type GivenServerOptions = z.input<typeof serverSchema>;

/** As checked. */
export type CheckedServerOptions = z.output<typeof serverSchema>;
