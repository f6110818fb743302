/**
 * Which files an engine was started with, so that a restarted actor never loads others: two revisions of a model in one
 * engine answer nonsense, without an error. What was read may be replaced, written to or cut; what is mapped, as
 * onnxruntime does it with weights, may only be replaced, by a rename, which leaves those who have it open unharmed.
 */
import { stat } from 'node:fs/promises';
import { ModelError } from '../errors.ts';

/** Plain data: it travels to the actors with the model directory. */
export interface FileStamp {
  readonly path: string;
  /** Device and inode, links followed: which file it is. */
  readonly file: string;
  /** Size and time of the last change. */
  readonly contents: string;
  /** Actors have it mapped. Default: what they need of it they have read. */
  readonly mapped?: boolean;
}

/** A file of the model is not what it was when the engine was started. */
export interface FileChange {
  /** Where it is. */
  readonly path: string;
  /** The very file was written to or cut while actors had it mapped: they see that. */
  readonly inPlace: boolean;
}

/** @throws the system's error when there is no such file */
export async function stampOf(path: string): Promise<FileStamp> {
  const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
  return { path, file: `${dev}:${ino}`, contents: `${size}:${mtimeNs}` };
}

/** The first file that is no longer what it was. */
export async function findChange(stamps: readonly FileStamp[]): Promise<FileChange | undefined> {
  for (const { path, file, contents, mapped = false } of stamps) {
    const now = await stampOf(path).catch(() => undefined);
    if (now === undefined || now.file !== file) return { path, inPlace: false };
    if (now.contents !== contents) return { path, inPlace: mapped };
  }
  return undefined;
}

/** Loads what is read from these files. @throws ModelError `MODEL_FILE_CHANGED` when one is not what it was */
export async function loadUnchanged<T>(stamps: readonly FileStamp[], load: () => Promise<T>): Promise<T> {
  await refuseChange(stamps);
  const loaded = await load();
  await refuseChange(stamps); // while it was read
  return loaded;
}

/** @throws ModelError `MODEL_FILE_CHANGED` when one is not what it was */
export async function refuseChange(stamps: readonly FileStamp[]): Promise<void> {
  const change = await findChange(stamps);
  if (change !== undefined) throw changedError(change);
}

export function changedError({ path }: FileChange): ModelError {
  return new ModelError(
    'MODEL_FILE_CHANGED',
    'A file of the model changed after the engine had been started',
    {
      path,
      remedy: 'Start the engine anew',
    },
  );
}
