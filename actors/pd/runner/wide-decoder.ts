/** The decoder on more threads than usual, for the time in which no other actor of the pool works. */
import { loadGraph } from '../../inference/load-graph.ts';
import { loadSteps, type StepsGraph } from '../../inference/load-steps.ts';
import type { OrtSession } from '../../inference/ort-session.ts';
import type { WideRuns } from '../../inference/wide-runs.ts';
import type { GraphFile } from '../../model/model-directory.ts';
import { Decoder } from './decoder.ts';

/**
 * Threads of a step, which is a thousand short operators. Measured on 16 cores (Xeon with AMX), 256M shape, 4 bits, behind 1,000
 * tokens: 15.4 ms a step with two threads, 9.1 with four, 8.2 with eight, 8.0 with sixteen.
 */
const MOST_STEP_THREADS = 8;

/**
 * Tokens of a prompt that are worth the change from the other session, where steps do not go through this one: each session
 * finds its weights in no cache after the other has run. Embedded model, two cores: 99 tokens take 2.7 instead of 3.8 ms, and 70
 * take 1.6 instead of 2.3; requests of which 15 are left, since what is before them is kept, took 7.5 ms instead of 6.6.
 */
const FEWEST_TOKENS = 64;

export interface WideDecoder {
  readonly decoder: Decoder;
  /** Whether a run of so many tokens of a row, 1 in a step, goes through it now: it is worth it, and these threads are free. */
  takes(tokens: number): boolean;
}

/**
 * @param graphs what prompts go through, and steps where these have a graph of their own
 * @param kept is told of each session, and releases it when a later one fails
 */
export async function loadWide(
  graphs: { readonly prompts: GraphFile; readonly steps: StepsGraph | undefined },
  wider: WideRuns,
  kept: (session: OrtSession) => OrtSession,
): Promise<WideDecoder> {
  const session = kept(await loadGraph(graphs.prompts, { threads: wider.threads }));
  const steps = graphs.steps && (await loadSteps(graphs.steps, Math.min(wider.threads, MOST_STEP_THREADS)));
  const decoder = new Decoder(session, undefined, steps && kept(steps));
  const fewest = steps === undefined ? FEWEST_TOKENS : 1;
  return { decoder, takes: (tokens) => tokens >= fewest && wider.isNow() };
}
