/** How getting a model by its name can fail: each in one line with a code, what is wrong, and what to do. */
import { ModelError } from '../../actors/errors.ts';
import { TroupeError } from '../../runtime/errors.ts';
import { errorCodeOf, isError, messageOf } from '../../runtime/util/realms.ts';

const EXPORT_HELP =
  'Export it with models/export of Troupe’s repository, or with Optimum (docs/models.md says how)';

export function noSuchModel(id: string, endpoint: string): ModelError {
  return new ModelError('MODEL_NOT_ON_HUB', `There is no such model at ${endpoint}`, {
    path: id,
    remedy: 'Look for a typing error (a folder is written ./folder); a private model needs HF_TOKEN',
  });
}

export function noSuchRevision(id: string, revision: string): ModelError {
  const path = `${id}@${revision}`;
  const remedy = 'Give a branch, a tag or a full commit that is there';
  return new ModelError('MODEL_REVISION_NOT_FOUND', 'The model has no such revision', { path, remedy });
}

export function gatedModel(id: string, endpoint: string, hasToken: boolean): ModelError {
  const ask = `Ask for access at ${endpoint}/${id}`;
  const remedy = hasToken ? `${ask} with the account of your token` : `${ask}, then set HF_TOKEN`;
  return new ModelError('MODEL_GATED', 'The model is given only to people who have been granted access', {
    path: id,
    remedy,
  });
}

export function tokenRefused(endpoint: string): ModelError {
  return new ModelError('HUB_TOKEN_REFUSED', 'The Hub does not know this token', {
    path: endpoint,
    remedy: 'Set HF_TOKEN to a token that is in force, or unset it',
  });
}

export function noOnnxFiles(id: string): ModelError {
  return new ModelError('MODEL_HAS_NO_ONNX', 'The model has no ONNX files in its folder onnx', {
    path: id,
    remedy: `${EXPORT_HELP}, or choose a repository that has them`,
  });
}

/** A whole model is never taken from two revisions, nor from a list that names files outside it. */
export function hubAnswer(problem: string, endpoint: string, cause?: unknown): TroupeError {
  return new TroupeError(`${endpoint} answered what no Hub does: ${problem}`, {
    code: 'HUB_ANSWER_INVALID',
    details: { endpoint },
    cause,
  });
}

export function offline(name: string, missing: string): TroupeError {
  const remedy = 'Unset HF_HUB_OFFLINE, or copy the files into the cache';
  return new TroupeError(`${name}: ${missing}, and HF_HUB_OFFLINE forbids to ask the Hub. ${remedy}`, {
    code: 'HUB_OFFLINE',
    details: { model: name, remedy },
  });
}

export function unreachable(endpoint: string, cause: unknown): TroupeError {
  const remedy = 'Look at the network, HF_ENDPOINT and the proxy (HTTPS_PROXY)';
  return new TroupeError(`${endpoint} cannot be reached (${reasonOf(cause)}). ${remedy}`, {
    code: 'HUB_UNREACHABLE',
    retrySafe: true,
    details: { endpoint, remedy },
    cause,
  });
}

export function rateLimited(endpoint: string): TroupeError {
  const remedy = 'Try again later; with HF_TOKEN more is allowed';
  return new TroupeError(`${endpoint} has been asked too often (429). ${remedy}`, {
    code: 'HUB_RATE_LIMITED',
    retrySafe: true,
    details: { endpoint, remedy },
  });
}

export function hubFailed(status: number, url: string, said: string | undefined): TroupeError {
  const words = said === undefined ? '' : ` (${said.replace(/\s+/g, ' ').slice(0, 200)})`;
  return new TroupeError(`The Hub answered with status ${status}${words}: ${url}`, {
    code: 'HUB_FAILED',
    retrySafe: status >= 500,
    details: { status, url },
  });
}

export function hashWrong(path: string, expected: string, found: string): TroupeError {
  const remedy = 'Pull it again; if this happens twice, the mirror or the proxy changes files';
  return new TroupeError(
    `${path}: what was downloaded is not what the Hub announced (hash ${found}, not ${expected}). ${remedy}`,
    { code: 'DOWNLOAD_HASH_WRONG', details: { file: path, expected, found, remedy } },
  );
}

export function diskFull(folder: string, neededBytes: number, freeBytes: number): TroupeError {
  const remedy = 'Free some space (troupe models, troupe rm), or set HF_HUB_CACHE to another disk';
  const sizes = `${megabytes(neededBytes)} are needed and ${megabytes(freeBytes)} are free`;
  return new TroupeError(`There is no room for the model in ${folder}: ${sizes}. ${remedy}`, {
    code: 'DISK_FULL',
    details: { folder, neededBytes, freeBytes, remedy },
  });
}

export function notCached(name: string): ModelError {
  return new ModelError('MODEL_NOT_CACHED', 'The cache does not have this model', {
    path: name,
    remedy: 'See troupe models',
  });
}

/** What the system said about a file of the cache, in words; whatever else it was, as it is. */
export function cacheError(folder: string, cause: unknown): unknown {
  if (TroupeError.is(cause)) return cause;
  const code = errorCodeOf(cause);
  const problem = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the quota of the disk is used up',
    EFBIG: 'the file system takes no file of this size',
    EACCES: 'it may not be written',
    EPERM: 'it may not be written',
    EROFS: 'it may only be read',
    ENOTDIR: 'a part of its path is no folder',
    EMFILE: 'too many files are open',
  }[String(code)];
  if (problem === undefined) return cause;
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
  const remedy = full
    ? 'Free some space, or set HF_HUB_CACHE to another disk'
    : 'Set HF_HUB_CACHE to a folder that can be written';
  return new TroupeError(`The cache ${folder} cannot take the model: ${problem}. ${remedy}`, {
    code: full ? 'DISK_FULL' : 'CACHE_NOT_WRITABLE',
    details: { folder, remedy },
    cause,
  });
}

function reasonOf(cause: unknown): string {
  return String(networkCode(cause) ?? messageOf(innermost(cause))).replace(/\s+/g, ' ');
}

/** `ENOTFOUND`, `ECONNREFUSED`…, which fetch hides in the cause of its error. */
export function networkCode(error: unknown): string | undefined {
  return errorCodeOf(innermost(error));
}

function innermost(error: unknown): unknown {
  return isError(error) && error.cause !== undefined ? error.cause : error;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`;
}
