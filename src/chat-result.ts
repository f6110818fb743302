/** What a caller is told when an answer is complete. */
import type { ChoiceSummary, GenerationSummary, Hop, StageSpan } from '../actors/generation.ts';
import type { ToolCall } from '../actors/tools/tool-types.ts';
import { processNow } from '../runtime/clock.ts';
import type {
  BytesBetweenActors,
  ChatChoice,
  ChatDelta,
  ChatResult,
  ChatTimings,
  Mode,
} from './chat-types.ts';

export interface Observed {
  /** When the first text arrived at the caller, on the process clock, ms. */
  readonly firstTokenAt: number;
  readonly mode: Mode;
  /** Whether the request asked for them. */
  readonly logprobs: boolean;
}

export function summarize(
  deltas: readonly ChatDelta[],
  { choices: ends, usage, trace, prefillMs, decodeMs }: GenerationSummary,
  { firstTokenAt, mode, logprobs }: Observed,
): ChatResult {
  const [firstEnd, ...otherEnds] = ends;
  const first = choiceOf(deltas, firstEnd, 0, logprobs);
  const others = otherEnds.map((end, index) => choiceOf(deltas, end, index + 1, logprobs));
  const { index: _, ...answer } = first;
  const gaps = Math.max(...ends.map(({ completionTokens }) => completionTokens)) - 1;
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
    ...answer,
    choices: [first, ...others],
    usage,
    timings,
    mode,
    bytesBetweenActors: {
      pixels: bytesOf(trace.hops, 'pixels'),
      embeddings: bytesOf(trace.hops, 'embeddings'),
    },
    stages: [...trace.stages, ...generationStages(trace.stages, { firstTokenAt, prefillMs, decodeMs })],
  };
}

/** What the chunks of one answer come to. */
function choiceOf(
  deltas: readonly ChatDelta[],
  { finishReason, stopString }: ChoiceSummary,
  index: number,
  logprobs: boolean,
): ChatChoice {
  const own = deltas.filter((delta) => (delta.index ?? 0) === index);
  const toolCalls = callsOf(own);
  const last = toolCalls.at(-1);
  const called = finishReason === 'stop' && last !== undefined && isWhole(last);
  return {
    index,
    text: own.map(({ text }) => text).join(''),
    finishReason: called ? 'tool_calls' : finishReason,
    ...(stopString === undefined ? {} : { stopString }),
    ...(last === undefined ? {} : { toolCalls }),
    tokenIds: own.flatMap(({ tokenIds }) => tokenIds),
    ...(logprobs ? { logprobs: own.flatMap((delta) => delta.logprobs ?? []) } : {}),
  };
}

/** A stop string may come within a call, and a model may end there: nobody shall run what was cut off. */
function isWhole({ arguments: text }: ToolCall): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function callsOf(deltas: readonly ChatDelta[]): readonly ToolCall[] {
  const calls: ToolCall[] = [];
  for (const { index, id, name, arguments: more } of deltas.flatMap(({ toolCalls = [] }) => toolCalls)) {
    const { id: oldId = '', name: oldName = '', arguments: before = '' } = calls[index] ?? {};
    calls[index] = { id: id ?? oldId, name: name ?? oldName, arguments: before + more };
  }
  return calls;
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
