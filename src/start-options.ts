/** How an engine is started and stopped. */
import type { TroupeOptions } from './config/options.ts';
import type { DownloadProgress } from './hub/download-progress.ts';

/** How far a start has come. */
export interface StartProgress {
  /**
   * `inspecting` reads the model, `downloading` fetches what the cache does not have of one that is given by its name,
   * `starting` loads it, `ready` is the last.
   */
  readonly phase: 'inspecting' | 'downloading' | 'starting' | 'ready';
  /** One line for people. */
  readonly message: string;
  /** How far a download is; while there is one. */
  readonly download?: DownloadProgress;
}

/** The options of an engine, and how to follow its start. */
export interface StartOptions extends TroupeOptions {
  /** Called on the caller's thread, several times. */
  readonly onProgress?: (progress: StartProgress) => void;
  /** Gives up starting. What is being loaded is loaded first: native code cannot be interrupted. */
  readonly signal?: AbortSignal;
}

/** How an engine is stopped. */
export interface StopOptions {
  /** Milliseconds that requests in flight may go on before they are failed. Default 0. */
  readonly drainMs?: number;
}
