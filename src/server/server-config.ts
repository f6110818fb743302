/** Options of a server, checked and completed. What is not safe is refused here, before anything is opened. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { InputError } from '../../actors/errors.ts';
import { invalidOption, type NameOption } from '../config/invalid-option.ts';
import type { TroupeOptions } from '../config/options.ts';
import type { ResolvedConfig } from '../config/resolve-config.ts';
import { isSecretOf, settingsOf } from '../config/setting.ts';
import { type ModelConfig, planModels } from './models/plan-models.ts';
import type { ServerOptions } from './server-options.ts';
import { type CheckedServerOptions, serverSchema } from './server-schema.ts';

export interface ServerConfig
  extends Omit<
    CheckedServerOptions,
    keyof TroupeOptions | 'models' | 'modelKeepAliveMs' | 'modelsMemoryBytes' | 'modelName' | 'queue' | 'http'
  > {
  /** What all models have in common. */
  readonly engine: TroupeOptions;
  /** The same, completed. */
  readonly resolved: ResolvedConfig;
  /** The first is served to who names none. */
  readonly models: readonly [ModelConfig, ...ModelConfig[]];
  /** Of a model that a request names, with `allowPull`. */
  modelNamed(name: string): ModelConfig;
  /** For models that are loaded together, bytes. */
  readonly modelsMemoryBytes: number;
  /** As given: `maxInFlight` of a model is in its own configuration, completed. */
  readonly queue: { readonly maxQueued: number; readonly maxInFlight: number | undefined };
  readonly http: CheckedServerOptions['http'] & { readonly maxBufferedBytes: number };
  /** Only this machine can connect. */
  readonly loopback: boolean;
}

export const SERVER_SETTINGS = settingsOf(serverSchema);

const SHORTEST_KEY = 8;
const KEY = /^[!-~]{8,}$/;

const byPath: NameOption = (path) => ({
  field: path.join('.') || 'options',
  remedy: 'See the options in docs/server.md',
});

/**
 * @param name how options are called where they come from
 * @throws InputError `INVALID_OPTION`
 */
export function serverConfig(options: ServerOptions = {}, name: NameOption = byPath): ServerConfig {
  const parsed = serverSchema.safeParse(options);
  if (!parsed.success) throw invalidOption(options, parsed.error, name, isSecret);
  const { host, port, apiKeys, apiKeyFile, allowAnonymous, allowedHosts, ...rest } = parsed.data;
  const { playground, queue, http, log, drainMs, allowPull, preloadModels, gateway, nats, ...others } = rest;
  const { model, models, modelName, modelKeepAliveMs, modelsMemoryBytes, ...given } = others;
  const common = engineOptions(given);
  if (gateway) assertGateway(parsed.data, name);
  const wanted = { model, models, modelName, modelKeepAliveMs, preloadModels, allowPull };
  const planned = planModels(definedOf(wanted), { common, maxInFlight: queue.maxInFlight, name });
  const { engine, resolved } = planned;
  const keys = [...apiKeys, ...(apiKeyFile === undefined ? [] : readKeys(apiKeyFile, name))];
  checkKeys(keys, name);
  const loopback = isLoopback(host);
  if (!loopback && keys.length === 0 && !allowAnonymous) throw openToAll(host, name);
  return {
    engine,
    resolved,
    ...{ host, port, apiKeys: keys, apiKeyFile, allowAnonymous, allowedHosts, loopback },
    ...{ playground, log, drainMs, allowPull, preloadModels, gateway, nats },
    http: { ...http, maxBufferedBytes: http.maxBufferedBytes ?? resolved.memory.bufferedBytes },
    models: planned.models,
    modelNamed: planned.modelNamed,
    modelsMemoryBytes: modelsMemoryBytes ?? resolved.memory.limitBytes,
    queue: { maxQueued: queue.maxQueued, maxInFlight: queue.maxInFlight },
  };
}

/** A server's clients are strangers: no files, nothing but https, unless the options say so. */
function engineOptions(given: TroupeOptionsGiven): TroupeOptions {
  const { images, ...rest } = given;
  // Absent options stay absent; zod has checked the rest.
  return { ...(rest as TroupeOptions), images: { files: 'none', urls: 'https', ...definedOf(images ?? {}) } };
}

type TroupeOptionsGiven = { readonly [K in keyof TroupeOptions]?: unknown };

/** Absent options stay absent. (`Object.fromEntries` forgets which names there were: hence the cast.) */
function definedOf<T extends object>(object: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

/** A gateway that is told of a model is not meant to be one; one without NATS has nobody to ask. */
function assertGateway({ nats, model, models, allowPull }: CheckedServerOptions, name: NameOption): void {
  if (nats.servers.length === 0) {
    const facts = {
      field: name(['nats', 'servers']).field,
      value: '',
      remedy: 'Give the NATS server of the fleet',
    };
    throw new InputError('INVALID_OPTION', 'is what a gateway needs', facts);
  }
  const [key] = [
    model !== undefined && 'model',
    models !== undefined && 'models',
    allowPull && 'allowPull',
  ].filter((given) => given !== false);
  if (key === undefined) return;
  const facts = { field: name([key]).field, value: key, remedy: 'Give it to the nodes' };
  throw new InputError('INVALID_OPTION', 'is for nodes: a gateway has no model', facts);
}

export function isLoopback(host: string): boolean {
  const literal = host.replace(/^\[|\]$/g, '');
  if (isIP(literal) === 0) return host.toLowerCase() === 'localhost';
  // Node takes zones (`::1%a.b`) that the library cannot read.
  if (!ipaddr.isValid(literal)) return false;
  return ipaddr.process(literal).range() === 'loopback';
}

function readKeys(path: string, name: NameOption): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const facts = { ...name(['apiKeyFile']), value: path };
    throw new InputError('INVALID_OPTION', 'cannot be read', facts, cause);
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((key) => key !== '' && !key.startsWith('#'));
  if (keys.length > 0) return keys;
  // Whoever names a file of keys does not mean a server without.
  const facts = { field: name(['apiKeyFile']).field, value: path, remedy: 'Write one key a line into it' };
  throw new InputError('INVALID_OPTION', 'holds no key', facts);
}

/** A key that can be guessed is none; one with a space in it could never be sent. */
function checkKeys(keys: readonly string[], name: NameOption): void {
  const wrong = keys.filter((key) => !KEY.test(key));
  if (wrong.length === 0) return;
  throw new InputError(
    'INVALID_OPTION',
    'has a key that is too short or has characters that cannot be sent',
    {
      field: name(['apiKeys']).field,
      value: `${wrong.length} of ${keys.length} keys`,
      remedy: `Give keys of ${SHORTEST_KEY} or more visible ASCII characters, as of: openssl rand -hex 24`,
    },
  );
}

function openToAll(host: string, name: NameOption): InputError {
  const { field } = name(['host']);
  return new InputError('INVALID_OPTION', 'would serve other machines without a key', {
    field,
    value: host,
    remedy: `Give ${name(['apiKeys']).field}, or say ${name(['allowAnonymous']).field}`,
  });
}

export const isSecret = isSecretOf(SERVER_SETTINGS);

/** The configuration in force, in the form of a configuration file, without its secrets. */
export function printableConfig(config: ServerConfig): object {
  const { engine, resolved, apiKeys, loopback: _, models, modelNamed: __, queue, ...server } = config;
  const { mode, limits, maxRunning, maxWaiting, requestTimeoutMs, retries, stopGraceMs } = resolved;
  const { hosts, privateAddresses, fetchTimeoutMs, userAgent, proxy } = resolved.images;
  const [{ name, maxInFlight, resolved: first }] = models;
  return {
    ...engine,
    ...(models.length === 1
      ? { model: first.model, modelName: name }
      : { models: models.map(printableModel) }),
    ...{ mode, limits, requestTimeoutMs, retries, stopGraceMs },
    pd: { ...engine.pd, maxRunning, maxWaiting },
    images: {
      ...{ ...engine.images, hosts, privateAddresses, fetchTimeoutMs, userAgent },
      ...(proxy !== undefined && { proxy: '[redacted]' }),
    },
    ...server,
    // How much a fleet can take, its nodes say.
    queue: server.gateway ? definedOf(queue) : { ...queue, maxInFlight },
    apiKeys: apiKeys.map(() => '[redacted]'),
    // There may be passwords in them.
    nats: {
      ...server.nats,
      servers: server.nats.servers.map((url) => url.replace(/[^/@]*@/, '[redacted]@')),
    },
  };
}

function printableModel({ name, resolved, own, keepAliveMs, preload }: ModelConfig): object {
  const kept = keepAliveMs === Number.POSITIVE_INFINITY ? {} : { keepAliveMs };
  return { ...own, name, model: resolved.model, preload, ...kept };
}
