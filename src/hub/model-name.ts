/**
 * What a model is called: a folder on this machine, or a name on the Hub, `owner/name` or `owner/name@revision`. A name
 * becomes a part of paths and addresses, so nothing is taken that could lead out of them.
 */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { InputError } from '../../actors/errors.ts';

/** A model on the Hub. */
export interface ModelName {
  /** `owner/name` */
  readonly id: string;
  /** Branch, tag or commit; `main` when none was given. */
  readonly revision: string;
}

export const DEFAULT_REVISION = 'main';

/** Of an owner or a model: as the Hub takes them. Neither `--`, which separates them in the cache, nor `..`. */
const PART = /^(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?$/;

/** Between slashes of a revision (`refs/pr/1`): as git takes them, and never `.` or `..`. */
const REVISION_PART = /^(?!.*\.\.)(?!.*\.lock$)[A-Za-z0-9_](?:[\w.+-]{0,126}[\w+-])?$/;

/** What says that a name is meant, whatever folders there are: `hf://owner/name`. */
export const HUB_SCHEME = 'hf://';

/** @throws InputError `MODEL_NAME_INVALID` */
export function parseModelName(given: string): ModelName {
  const text = given.startsWith(HUB_SCHEME) ? given.slice(HUB_SCHEME.length) : given;
  const at = text.indexOf('@');
  const id = at === -1 ? text : text.slice(0, at);
  const revision = at === -1 ? DEFAULT_REVISION : text.slice(at + 1);
  const parts = id.split('/');
  if (parts.length !== 2 || !parts.every((part) => PART.test(part)) || id.endsWith('.git')) {
    throw invalidName(
      text,
      'is no name of a model',
      'Give owner/name, as in https://huggingface.co/owner/name',
    );
  }
  if (!revision.split('/').every((part) => REVISION_PART.test(part))) {
    throw invalidName(text, 'names no revision', 'Give a branch, a tag or a commit after the @');
  }
  return { id, revision };
}

/** The shortest way to say it. */
export function nameOf({ id, revision }: ModelName): string {
  return revision === DEFAULT_REVISION ? id : `${id}@${revision}`;
}

/** Whether it is a name as it is written shortest: two spellings would be two models. */
export function isHubName(text: string): boolean {
  try {
    return nameOf(parseModelName(text)) === text;
  } catch {
    return false;
  }
}

/**
 * A folder where there is one, or where the text is written as a path; else the name of a model on the Hub.
 *
 * @returns undefined for a folder
 * @throws InputError `MODEL_NAME_INVALID`
 */
export async function hubNameIn(model: string): Promise<ModelName | undefined> {
  if (model.startsWith(HUB_SCHEME)) return parseModelName(model);
  if (isWrittenAsPath(model) || (await isFolder(model))) return undefined;
  return parseModelName(model);
}

/** `./x`, `/x`, `~/x`, `C:\x`; and a single word, for every model on the Hub has an owner. */
export function isWrittenAsPath(model: string): boolean {
  return /^[.~]/.test(model) || isAbsolute(model) || /^[A-Za-z]:/.test(model) || !/[/@]/.test(model);
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

function invalidName(value: string, problem: string, remedy: string): InputError {
  return new InputError('MODEL_NAME_INVALID', problem, { field: 'model', value, remedy });
}
