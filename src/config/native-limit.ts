/** How long the first run of a graph may take, of which nothing is known yet but the size of the model. */
import { DEFAULT_PULSE_LIMITS } from '../../runtime/supervision/watchdog.ts';
import { SMALL_MODEL_BYTES } from './thread-plan.ts';

/** A small model takes milliseconds, a hundred times as long on the busiest machine, ms. */
const SMALL_MODEL_MS = 20_000;

export function nativeLimit(weightBytes: number): number {
  return weightBytes < SMALL_MODEL_BYTES ? SMALL_MODEL_MS : DEFAULT_PULSE_LIMITS.nativeMs;
}
