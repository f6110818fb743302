/**
 * onnxruntime's failures in this project's terms. Its errors are plain `Error`s without a code, some with a
 * multi-line message, so the cause is read from the text; what is not recognised counts as unsupported.
 */
import { TroupeError } from '../../runtime/errors.ts';
import { messageOf } from '../../runtime/util/realms.ts';
import { ModelError } from '../errors.ts';

const MISSING = /File doesn't exist|No such file/i;
const CORRUPT =
  /Protobuf parsing failed|does not have a graph|INVALID_PROTOBUF|out of bounds|exceeds the (file|buffer)|external (data|initializer)|Fatal error reading/i;

const REASON_LENGTH = 240;

/** Why a graph file cannot be loaded. */
export function loadError(path: string, error: unknown): ModelError {
  const reason = oneLine(error);
  if (MISSING.test(reason)) {
    const remedy = 'Put the file there, with its external data (*.onnx_data) beside it';
    return new ModelError(
      'MODEL_FILE_MISSING',
      `Graph file or its data is missing (${reason})`,
      { path, remedy },
      error,
    );
  }
  if (CORRUPT.test(reason)) {
    const remedy = 'Fetch the file again; a Git LFS pointer or a cut download looks like this';
    return new ModelError(
      'MODEL_FILE_CORRUPT',
      `Graph file is not readable (${reason})`,
      { path, remedy },
      error,
    );
  }
  const remedy = 'Use an export whose operators this onnxruntime has';
  return new ModelError(
    'MODEL_UNSUPPORTED',
    `onnxruntime cannot load the graph (${reason})`,
    { path, remedy },
    error,
  );
}

/** A run failed. Not safe to repeat blindly: the same inputs may well fail again. */
export function runError(path: string, error: unknown): TroupeError {
  return new TroupeError(`The graph failed while it ran: ${oneLine(error)}`, {
    code: 'MODEL_RUN_FAILED',
    details: { path },
    cause: error,
  });
}

/** The message without line breaks, the path (errors here name it themselves) and C++ source locations. */
function oneLine(error: unknown): string {
  const text = messageOf(error)
    .replace(/\s+/g, ' ')
    .replace(/^Load model from .*? failed:\s*/, '')
    .replace(/\S+\.cc:\d+ .*?\) (?=\S)/g, '')
    .trim();
  return text.length <= REASON_LENGTH ? text : `${text.slice(0, REASON_LENGTH - 1)}…`;
}
