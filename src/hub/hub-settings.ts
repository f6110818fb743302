/**
 * Where the Hub is, who asks, and where files are kept: the environment variables of Python's huggingface_hub, read each
 * time they are needed, so that a program may set them.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { InputError } from '../../actors/errors.ts';

export interface HubSettings {
  /** Without a slash at the end: `https://huggingface.co`. */
  readonly endpoint: string;
  /** Absolute; holds `models--owner--name` folders. */
  readonly cacheFolder: string;
  /** Nothing is asked of the Hub. */
  readonly offline: boolean;
  /** False: files lie in the snapshot itself, as where links cannot be made. */
  readonly symlinks: boolean;
  /** Sent to the endpoint, and to no other host. */
  readonly token: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_ENDPOINT = 'https://huggingface.co';

/** @throws InputError `INVALID_OPTION` about a variable that cannot be used */
export async function hubSettings(environment: Environment = process.env): Promise<HubSettings> {
  const home = hubHome(environment);
  return {
    endpoint: endpointOf(environment),
    cacheFolder: cacheFolderOf(environment, home),
    offline: isTrue(environment.HF_HUB_OFFLINE) || isTrue(environment.TRANSFORMERS_OFFLINE),
    symlinks: !isTrue(environment.HF_HUB_DISABLE_SYMLINKS),
    token: await tokenOf(environment, home),
  };
}

function hubHome(environment: Environment): string {
  const cache = given(environment.XDG_CACHE_HOME) ?? join(homedir(), '.cache');
  return expanded(given(environment.HF_HOME) ?? join(cache, 'huggingface'));
}

function cacheFolderOf(environment: Environment, home: string): string {
  const chosen = given(environment.HF_HUB_CACHE) ?? given(environment.HUGGINGFACE_HUB_CACHE);
  return expanded(chosen ?? join(home, 'hub'));
}

function endpointOf(environment: Environment): string {
  const text = given(environment.HF_ENDPOINT) ?? DEFAULT_ENDPOINT;
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.search + url.hash === '')
    return text.replace(/\/+$/, '');
  throw new InputError('INVALID_OPTION', 'is no address of a Hub', {
    field: 'HF_ENDPOINT',
    value: text,
    remedy: `Give an http: or https: URL, as ${DEFAULT_ENDPOINT}`,
  });
}

async function tokenOf(environment: Environment, home: string): Promise<string | undefined> {
  const own = given(environment.HF_TOKEN) ?? given(environment.HUGGING_FACE_HUB_TOKEN);
  if (own !== undefined) return checkedToken(own.trim(), 'HF_TOKEN');
  if (isTrue(environment.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const path = expanded(given(environment.HF_TOKEN_PATH) ?? join(home, 'token'));
  // Whoever has logged in with `hf auth login` has it; who has not, asks without.
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : checkedToken(text.trim(), path);
}

/** Its value is never shown. */
function checkedToken(token: string, field: string): string {
  if (/^[\x21-\x7e]{1,512}$/.test(token)) return token;
  const facts = { field, value: '(a secret)', remedy: 'Give a token of huggingface.co/settings/tokens' };
  throw new InputError('INVALID_OPTION', 'holds characters that no token has', facts);
}

/** Set to nothing is not set. */
function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function expanded(path: string): string {
  return resolve(path.replace(/^~(?=$|[/\\])/, homedir()));
}

function isTrue(value: string | undefined): boolean {
  return /^(?:1|on|yes|true)$/i.test(value ?? '');
}
