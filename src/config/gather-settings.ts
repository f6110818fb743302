/**
 * Settings from a configuration file, the environment and flags, put together: a flag wins over a variable, a variable
 * over the file. Each keeps the name by which it was given, so that an error can speak of that.
 */
import { readFileSync } from 'node:fs';
import { InputError } from '../../actors/errors.ts';
import { isErrorNamed } from '../../runtime/util/realms.ts';
import { numberFlag } from '../cli/number-flag.ts';
import type { NameOption } from './invalid-option.ts';
import type { Setting } from './setting.ts';

export interface Gathered {
  /** In the shape of the schema, not checked. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly name: NameOption;
  /** Variables that look like settings and are none. */
  readonly unknownVariables: readonly string[];
}

export interface SettingSources {
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The command that explains the settings. Default `serve`. */
  readonly command?: 'ask' | 'inspect' | 'serve';
  /** Values by the setting's name (`--port`), as text, list or truth. */
  readonly flags: ReadonlyMap<string, string | readonly string[] | boolean>;
}

/** Says which file to read; itself no setting. */
export const CONFIG_VARIABLE = 'TROUPE_CONFIG';
/** Read where graphs are kept. */
const OTHER_VARIABLES = ['TROUPE_CACHE_DIR'];

export function gatherSettings(settings: readonly Setting[], sources: SettingSources): Gathered {
  const file = sources.file ?? sources.env[CONFIG_VARIABLE];
  const options = file === undefined ? {} : readConfigFile(file);
  const names = new Map<string, string>();
  for (const setting of settings) {
    const variable = sources.env[setting.variable];
    const flag = sources.flags.get(setting.name);
    if (flag !== undefined) {
      setPath(options, setting.path, fromFlag(flag, setting));
      names.set(setting.path.join('.'), setting.name);
    } else if (variable !== undefined && variable !== '') {
      setPath(options, setting.path, fromText(variable, setting, setting.variable));
      names.set(setting.path.join('.'), setting.variable);
    }
  }
  const known = new Set([CONFIG_VARIABLE, ...OTHER_VARIABLES, ...settings.map(({ variable }) => variable)]);
  const unknownVariables = Object.keys(sources.env).filter(
    (key) => key.startsWith('TROUPE_') && !known.has(key),
  );
  const { command = 'serve' } = sources;
  const remedy = `See troupe ${command} --help`;
  return { options, name: nameFrom(settings, names, file, remedy), unknownVariables };
}

/** By flag or variable where one was given, by its place in the file otherwise. */
function nameFrom(
  settings: readonly Setting[],
  names: Map<string, string>,
  file: string | undefined,
  remedy: string,
): NameOption {
  return (path) => {
    const key = path.map(String).join('.');
    const setting = settings.find((candidate) => key.startsWith(candidate.path.join('.')));
    const given = setting && names.get(setting.path.join('.'));
    if (given !== undefined) return { field: given, remedy };
    const inFile = file !== undefined && key !== '';
    return { field: inFile ? `${key} in ${file}` : (setting?.name ?? (key || 'options')), remedy };
  };
}

function readConfigFile(path: string): Record<string, unknown> {
  const facts = { field: '--config', value: path };
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch (cause) {
    const problem = isErrorNamed(cause, 'SyntaxError') ? 'is no JSON' : 'cannot be read';
    throw new InputError('INVALID_OPTION', problem, { ...facts, remedy: 'Give a JSON file' }, cause);
  }
  throw new InputError('INVALID_OPTION', 'is no JSON object', { ...facts, remedy: 'Give a JSON object' });
}

/** A flag in the negative (`--no-playground`) says false. */
function fromFlag(value: string | readonly string[] | boolean, setting: Setting): unknown {
  if (typeof value === 'boolean') return setting.name.startsWith('--no-') ? !value : value;
  return typeof value === 'string' ? fromText(value, setting, setting.name) : value;
}

function fromText(text: string, { kind = 'text' }: Setting, name: string): unknown {
  if (kind === 'number') return numberFlag(name, {})(text);
  if (kind === 'list') return text.split(',').map((part) => part.trim());
  if (kind === 'text') return text;
  if (/^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return false;
  const facts = { field: name, value: text, remedy: 'Give true or false' };
  throw new InputError('INVALID_OPTION', 'is neither true nor false', facts);
}

function setPath(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) target[head] = value;
  else {
    const inner = target[head];
    const next = typeof inner === 'object' && inner !== null ? { ...inner } : {};
    target[head] = next;
    setPath(next, rest, value);
  }
}
