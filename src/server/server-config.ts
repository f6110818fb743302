/** Options of a server, checked and completed. What is not safe is refused here, before anything is opened. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { basename } from 'node:path';
import ipaddr from 'ipaddr.js';
import { InputError } from '../../actors/errors.ts';
import { invalidOption, type NameOption } from '../config/invalid-option.ts';
import type { TroupeOptions } from '../config/options.ts';
import { type ResolvedConfig, resolveConfig } from '../config/resolve-config.ts';
import { settingsOf } from '../config/setting.ts';
import type { ServerOptions } from './server-options.ts';
import { type CheckedServerOptions, serverSchema } from './server-schema.ts';

export interface ServerConfig
  extends Omit<CheckedServerOptions, keyof TroupeOptions | 'modelName' | 'queue' | 'http'> {
  readonly engine: TroupeOptions;
  /** The same, completed. */
  readonly resolved: ResolvedConfig;
  readonly modelName: string;
  readonly queue: { readonly maxInFlight: number; readonly maxQueued: number };
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
  const { host, port, apiKeys, apiKeyFile, allowAnonymous, allowedHosts, modelName, ...rest } = parsed.data;
  const { playground, queue, http, log, drainMs, ...given } = rest;
  const engine = engineOptions(given);
  const resolved = resolveConfig(engine);
  const keys = [...apiKeys, ...(apiKeyFile === undefined ? [] : readKeys(apiKeyFile, name))];
  checkKeys(keys, name);
  const loopback = isLoopback(host);
  if (!loopback && keys.length === 0 && !allowAnonymous) throw openToAll(host, name);
  return {
    engine,
    resolved,
    ...{ host, port, apiKeys: keys, apiKeyFile, allowAnonymous, allowedHosts, loopback },
    ...{ playground, log, drainMs },
    http: { ...http, maxBufferedBytes: http.maxBufferedBytes ?? resolved.memory.bufferedBytes },
    modelName: modelName ?? basename(resolved.model),
    queue: {
      maxQueued: queue.maxQueued,
      maxInFlight: queue.maxInFlight ?? defaultInFlight(engine, resolved),
    },
  };
}

/** A server's clients are strangers: no files, nothing but https, unless the options say so. */
function engineOptions(given: TroupeOptionsGiven): TroupeOptions {
  const { images, ...rest } = given;
  // Absent options stay absent; zod has checked the rest.
  return { ...(rest as TroupeOptions), images: { files: 'none', urls: 'https', ...definedOf(images ?? {}) } };
}

type TroupeOptionsGiven = { readonly [K in keyof TroupeOptions]?: unknown };

function definedOf(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** One batch that decodes, and as many that are being prepared for the next places. */
function defaultInFlight({ pd }: TroupeOptions, { maxRunning }: ResolvedConfig): number {
  return 2 * maxRunning * (pd?.count ?? 1);
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

const SECRETS = SERVER_SETTINGS.filter(({ secret }) => secret);

export function isSecret(path: readonly PropertyKey[]): boolean {
  return SECRETS.some((secret) => secret.path.every((key, index) => key === path[index]));
}

/** The configuration in force, in the form of a configuration file, without its secrets. */
export function printableConfig(config: ServerConfig): object {
  const { engine, resolved, apiKeys, loopback: _, ...server } = config;
  const { model, mode, limits, maxRunning, maxWaiting, requestTimeoutMs, retries, stopGraceMs } = resolved;
  const { hosts, privateAddresses, fetchTimeoutMs, userAgent, proxy } = resolved.images;
  return {
    ...engine,
    ...{ model, mode, limits, requestTimeoutMs, retries, stopGraceMs },
    pd: { ...engine.pd, maxRunning, maxWaiting },
    images: {
      ...{ ...engine.images, hosts, privateAddresses, fetchTimeoutMs, userAgent },
      ...(proxy !== undefined && { proxy: '[redacted]' }),
    },
    ...server,
    apiKeys: apiKeys.map(() => '[redacted]'),
  };
}
