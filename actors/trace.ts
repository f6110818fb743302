/** Keeping the books of one request as it goes from stage to stage. */
import { processNow } from '../runtime/clock.ts';
import { TroupeError } from '../runtime/errors.ts';
import { footprint } from '../runtime/tensors/byte-footprint.ts';
import type { Hop, RequestEnvelope, StageSpan, StageTrace } from './generation.ts';

/** The trace as a stage finds it: what passed since the last one handed over was waiting. */
export function received(trace: StageTrace, actor: string): StageTrace {
  const waitedMs = processNow() - trace.handedOverAt;
  const stages = [...trace.stages, stageSpan('transfer', actor, waitedMs)];
  return { ...trace, queueMs: trace.queueMs + waitedMs, stages };
}

/** A stage that ends now. */
export function stageSpan(stage: StageSpan['stage'], actor: string, durationMs: number): StageSpan {
  const endedAt = processNow();
  return { stage, actor, startedAt: endedAt - durationMs, endedAt };
}

/** The bytes that handing tensors over moves and copies, counted as the channel counts them. */
export function hop(from: string, to: string, kind: Hop['kind'], tensors: readonly unknown[]): Hop {
  const { moved, copied } = footprint(tensors);
  return { from, to, kind, bytesMoved: moved, bytesCopied: copied };
}

/**
 * Throws when no more compute may be spent on a request: the caller's reason when it was aborted, or
 * `DEADLINE_EXCEEDED`.
 */
export function assertWanted(
  request: Pick<RequestEnvelope, 'requestId' | 'deadline'>,
  signal: AbortSignal,
): void {
  signal.throwIfAborted();
  if (processNow() < request.deadline) return;
  throw new TroupeError(`request ${request.requestId} ran out of time`, {
    code: 'DEADLINE_EXCEEDED',
    retrySafe: true,
  });
}
