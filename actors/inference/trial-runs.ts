/**
 * Runs of a graph with made-up input, before a request comes. They read the weights from the disk, and say how fast this
 * machine is: how long the first request's run may take is then known, and one that hangs is found soon.
 */
import { TroupeError } from '../../runtime/errors.ts';

/** A first run of so many ms may have waited for a disk; a shorter one tells enough. */
const TELLING_MS = 200;

/**
 * @param run a small run. What fails is not said here: a request that needs it will be told
 * @param most how often, where the first run was slow. Default: twice
 * @param now milliseconds. Default `performance.now()`
 */
export async function tryRuns(
  run: () => Promise<unknown>,
  most: 1 | 2 = 2,
  now = () => performance.now(),
): Promise<void> {
  try {
    const startedAt = now();
    await run();
    if (most > 1 && now() - startedAt >= TELLING_MS) await run();
  } catch (error) {
    if (!TroupeError.is(error) || error.code !== 'MODEL_RUN_FAILED') throw error;
  }
}
