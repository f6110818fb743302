/** The decoder on more threads than usual, for the time in which no other actor of the pool works. */
import { loadGraph } from '../../inference/load-graph.ts';
import { loadSteps } from '../../inference/load-steps.ts';
import type { OrtSession } from '../../inference/ort-session.ts';
import type { WideRuns } from '../../inference/wide-runs.ts';
import type { ModelGraphs } from '../../model/model-directory.ts';
import { Decoder } from './decoder.ts';

/**
 * Threads of a step, which is a thousand short operators. Measured on 16 cores (Xeon with AMX), 256M shape, 4 bits, behind 1,000
 * tokens: 15.4 ms a step with two threads, 9.1 with four, 8.2 with eight, 8.0 with sixteen.
 */
const MOST_STEP_THREADS = 8;

export interface WideDecoder {
  readonly decoder: Decoder;
  /** Whether it also runs steps. */
  readonly runsSteps: boolean;
  /** Whether these threads are free. */
  isNow(): boolean;
}

/**
 * With a graph of steps where the decoder's weights are packed.
 *
 * @param kept is told of each session, and releases it when a later one fails
 */
export async function loadWide(
  { decoder: file, prompts = file }: ModelGraphs,
  wider: WideRuns,
  kept: (session: OrtSession) => OrtSession,
): Promise<WideDecoder> {
  const session = kept(await loadGraph(prompts, { threads: wider.threads }));
  const steps = await loadSteps(file, Math.min(wider.threads, MOST_STEP_THREADS));
  const decoder = new Decoder(session, undefined, steps && kept(steps));
  return { decoder, runsSteps: steps !== undefined, isNow: () => wider.isNow() };
}
