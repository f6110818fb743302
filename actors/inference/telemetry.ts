/**
 * Keeps onnxruntime's telemetry off. Its builds for Linux and macOS collect from 1.29 on, unless the environment says
 * `ORT_DISABLE_TELEMETRY`: a device id and a queue of events in the user's cache folder, and uploads of them. It looks
 * when the first session of the process is made, at the environment of the process itself, which JavaScript writes only
 * on the main thread: a worker has a copy.
 *
 * A value that is there already stays, so a user may have it otherwise.
 */
import { isMainThread } from 'node:worker_threads';
import { TroupeError } from '../../runtime/errors.ts';
import { onMainThread } from './on-main-thread.ts';

const VARIABLE = 'ORT_DISABLE_TELEMETRY';
const OFF = '1';

/** The main thread answers in a millisecond, unless it is held up, by `Atomics.wait` for this very thread, say. */
const PATIENCE_MS = 5_000;

// On a worker this reaches the threads and processes that it starts, and no more.
process.env[VARIABLE] ||= OFF;

/**
 * To be called, on whichever thread, before threads that load onnxruntime are started.
 * @param patienceMs for a worker's main thread to answer
 * @throws TroupeError `TELEMETRY_NOT_OFF` on a worker whose main thread does not answer
 */
export async function telemetryOff(patienceMs = PATIENCE_MS): Promise<void> {
  process.env[VARIABLE] ||= OFF;
  if (isMainThread || isSetForProcess()) return;
  try {
    await onMainThread(`process.env.${VARIABLE} ||= '${OFF}'`, patienceMs);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TroupeError(
      `onnxruntime's telemetry cannot be turned off from this worker thread: ${why}. ` +
        `Set ${VARIABLE}=${OFF} in the environment of the process`,
      { code: 'TELEMETRY_NOT_OFF', cause },
    );
  }
}

/** What native code sees: a diagnostic report reads the process's environment, where `process.env` is a copy. */
function isSetForProcess(): boolean {
  const maker: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  const { excludeNetwork = false } = maker;
  maker.excludeNetwork = true; // it would look up the names of peers
  try {
    const report: { readonly environmentVariables?: Readonly<Record<string, string>> } = maker.getReport();
    return Boolean(report.environmentVariables?.[VARIABLE]);
  } finally {
    maker.excludeNetwork = excludeNetwork;
  }
}
