/**
 * Reading the small files of a model directory: text and JSON, checked against a schema when they are opened.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type * as z from 'zod';
import { errorCodeOf } from '../../runtime/util/realms.ts';
import { ModelError } from '../errors.ts';

const REMEDY = 'Download the model again.';

/** The file's text, or null when there is no such file. @throws ModelError MODEL_FILE_CORRUPT */
export async function readOptionalText(path: string): Promise<string | null> {
  try {
    await refuseSpecialFile(path);
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    if (isMissing(cause)) return null;
    throw new ModelError(
      'MODEL_FILE_CORRUPT',
      'A model file cannot be read',
      { path, remedy: REMEDY },
      cause,
    );
  }
}

/**
 * A pipe in the place of a file would be waited for, for ever.
 * @throws ModelError MODEL_FILE_CORRUPT; the system's error when there is no such file
 */
export async function refuseSpecialFile(path: string): Promise<void> {
  const stats = await stat(path);
  if (stats.isFile() || stats.isDirectory()) return; // reading a folder fails by itself
  throw new ModelError('MODEL_FILE_CORRUPT', 'What has the name of a model file is none', {
    path,
    remedy: REMEDY,
  });
}

/** The parsed file, or null when there is no such file. @throws ModelError MODEL_FILE_CORRUPT */
export async function readOptionalJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.infer<Schema> | null> {
  const text = await readOptionalText(path);
  return text === null ? null : parseJson(text, schema, path);
}

/** @throws ModelError MODEL_FILE_MISSING, MODEL_FILE_CORRUPT */
export async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const value = await readOptionalJson(path, schema);
  if (value === null) throw missingFile(path);
  return value;
}

export function missingFile(path: string): ModelError {
  return new ModelError('MODEL_FILE_MISSING', `The model has no ${basename(path)}`, { path, remedy: REMEDY });
}

/** Checks a value against a schema as if it had been read from `path`. @throws ModelError MODEL_FILE_CORRUPT */
export function checkJson<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
  path: string,
): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.join('.');
  const remedy = 'Correct the field or download the model again.';
  throw new ModelError('MODEL_FILE_CORRUPT', `Wrong ${where} (${issue?.message ?? 'unknown'})`, {
    path,
    remedy,
  });
}

function parseJson<Schema extends z.ZodType>(text: string, schema: Schema, path: string): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ModelError('MODEL_FILE_CORRUPT', 'The file is no JSON', { path, remedy: REMEDY }, cause);
  }
  return checkJson(value, schema, path);
}

/** True for the error that Node gives for a path that does not exist. */
export function isMissing(cause: unknown): boolean {
  const code = errorCodeOf(cause);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
