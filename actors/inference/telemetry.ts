/**
 * Keeps onnxruntime's telemetry off. Its builds for Linux and macOS collect from 1.29 on, unless the environment says
 * `ORT_DISABLE_TELEMETRY`: a device id and a queue of events in the user's cache folder, and uploads of them. It looks
 * when the first session of the process is made, at the environment of the process itself, which JavaScript writes only
 * on the main thread: a worker has a copy.
 *
 * A value that is there already stays, so a user may have it otherwise.
 */

import { once } from 'node:events';
import { isMainThread, SHARE_ENV, Worker } from 'node:worker_threads';
import { TroupeError } from '../../runtime/errors.ts';
import { messageOf } from '../../runtime/util/realms.ts';
import { onMainThread } from './on-main-thread.ts';

const VARIABLE = 'ORT_DISABLE_TELEMETRY';
const OFF = '1';
const TURN_OFF = `process.env.${VARIABLE} ||= '${OFF}'`;

/** The main thread answers in a millisecond, unless it is held up, by `Atomics.wait` for this very thread, say. */
const PATIENCE_MS = 5_000;

const { env, report: reports } = process;

// On a worker this reaches the threads and processes that it starts, and no more.
env[VARIABLE] ||= OFF;

let isKnownToBeOff = isMainThread && isOfProcess(env);

/**
 * To be called, on whichever thread, before threads that load onnxruntime are started.
 * @param patienceMs for a worker's main thread to answer
 * @throws TroupeError `TELEMETRY_NOT_OFF` on a worker whose main thread does not answer
 */
export async function telemetryOff(patienceMs = PATIENCE_MS): Promise<void> {
  isKnownToBeOff ||= isSetForProcess();
  if (isKnownToBeOff) return;
  try {
    if (isMainThread) await inOwnEnvironment(TURN_OFF);
    else await onMainThread(TURN_OFF, patienceMs);
    if (!isSetForProcess()) throw new Error('the environment of the process does not take it');
    isKnownToBeOff = true;
  } catch (cause) {
    const why = messageOf(cause);
    throw new TroupeError(
      `onnxruntime's telemetry cannot be turned off: ${why}. Set ${VARIABLE}=${OFF} in the environment of the process`,
      { code: 'TELEMETRY_NOT_OFF', cause },
    );
  }
}

/** Programs, and Jest, put plain objects in the place of `process.env`; those take accessors, an environment does not. */
function isOfProcess(candidate: NodeJS.ProcessEnv): boolean {
  const probe = 'TROUPE_PROBE';
  try {
    Object.defineProperty(candidate, probe, { get: () => undefined, configurable: true });
  } catch {
    return true;
  }
  delete candidate[probe];
  return false;
}

/** What native code sees: a diagnostic report reads the process's environment, where `process.env` is a copy. */
function isSetForProcess(): boolean {
  const maker: NodeJS.ProcessReport & { excludeNetwork?: boolean; excludeEnv?: boolean } = reports;
  const { excludeNetwork = false, excludeEnv = false } = maker;
  maker.excludeNetwork = true; // it would look up the names of peers
  maker.excludeEnv = false;
  try {
    const report: { readonly environmentVariables?: Readonly<Record<string, string>> } = maker.getReport();
    return Boolean(report.environmentVariables?.[VARIABLE]);
  } finally {
    maker.excludeNetwork = excludeNetwork;
    maker.excludeEnv = excludeEnv;
  }
}

/** On a thread for which `process.env` is the environment of its maker, not what its maker put in that place. */
async function inOwnEnvironment(statement: string): Promise<void> {
  await once(new Worker(statement, { eval: true, env: SHARE_ENV }), 'exit');
}
