/** What a caller is told when an answer is complete. */
import type { GenerationSummary, Hop, StageSpan, TokenChunk } from '../actors/generation.ts';
import { processNow } from '../runtime/clock.ts';
import type { BytesBetweenActors, ChatResult, ChatTimings, Mode } from './chat-types.ts';

export interface Observed {
  /** When the first text arrived at the caller, on the process clock, ms. */
  readonly firstTokenAt: number;
  readonly mode: Mode;
}

export function summarize(
  deltas: readonly TokenChunk[],
  { finishReason, usage, trace, prefillMs, decodeMs }: GenerationSummary,
  { firstTokenAt, mode }: Observed,
): ChatResult {
  const gaps = usage.completionTokens - 1;
  const timings: ChatTimings = {
    queueMs: trace.queueMs,
    preprocessMs: trace.preprocessMs,
    encodeMs: trace.encodeMs,
    prefillMs,
    timeToFirstTokenMs: firstTokenAt - trace.submittedAt,
    interTokenMs: gaps > 0 ? decodeMs / gaps : 0,
    totalMs: processNow() - trace.submittedAt,
  };
  return {
    text: deltas.map(({ text }) => text).join(''),
    finishReason,
    usage,
    timings,
    mode,
    bytesBetweenActors: {
      pixels: bytesOf(trace.hops, 'pixels'),
      embeddings: bytesOf(trace.hops, 'embeddings'),
    },
    stages: [...trace.stages, ...generationStages(trace.stages, { firstTokenAt, prefillMs, decodeMs })],
    tokenIds: deltas.flatMap(({ tokenIds }) => tokenIds),
  };
}

/** The engine reports durations; the first text, which came when the prompt had been run, says when. */
function generationStages(
  before: readonly StageSpan[],
  { firstTokenAt, prefillMs, decodeMs }: { firstTokenAt: number; prefillMs: number; decodeMs: number },
): StageSpan[] {
  const actor = before.findLast(({ stage }) => stage === 'transfer')?.actor ?? 'pd';
  const startedAt = firstTokenAt - prefillMs;
  return [
    { stage: 'prefill', actor, startedAt, endedAt: firstTokenAt },
    { stage: 'decode', actor, startedAt: firstTokenAt, endedAt: firstTokenAt + decodeMs },
  ];
}

function bytesOf(hops: readonly Hop[], kind: Hop['kind']): BytesBetweenActors {
  const mine = hops.filter((hop) => hop.kind === kind);
  return {
    moved: mine.reduce((sum, { bytesMoved }) => sum + bytesMoved, 0),
    copied: mine.reduce((sum, { bytesCopied }) => sum + bytesCopied, 0),
  };
}
