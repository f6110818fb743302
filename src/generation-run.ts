/**
 * One request's way through the pipeline, as its caller sees it: submits, streams deltas, tries again when an
 * actor died before the first token, and sums up.
 */
import type { ChatRequest, GenerationSummary, TokenChunk } from '../actors/generation.ts';
import type { ProcessRequest, processorProtocol } from '../actors/protocols.ts';
import { callableTools } from '../actors/tools/callable-tools.ts';
import { processNow } from '../runtime/clock.ts';
import { ActorError, TroupeError } from '../runtime/errors.ts';
import type { ActorRef } from '../runtime/ref/actor-ref.ts';
import { isErrorNamed } from '../runtime/util/realms.ts';
import { after } from '../runtime/util/timers.ts';
import { summarize } from './chat-result.ts';
import type { ChatDelta, ChatResult, Mode } from './chat-types.ts';
import { type BlobLimits, readBlobs, type UnreadChat } from './read-blobs.ts';
import type { Turn } from './retry-line.ts';
import { unsendable } from './submitted-chat.ts';
import type { Suspect, Suspects } from './suspects.ts';
import { ToolDeltas } from './tool-deltas.ts';

export interface GenerationRunOptions {
  readonly entry: ActorRef<typeof processorProtocol>;
  readonly requestId: string;
  readonly mode: Mode;
  /** Whether deltas are shown as they come. */
  readonly wantsStream: boolean;
  readonly timeoutMs: number;
  readonly retries: number;
  /** Aborted by the caller, or when the engine stops. */
  readonly signal: AbortSignal;
  /** Requests that were in an actor when it died. */
  readonly suspects: Suspects;
  onRetry(attempt: number, error: TroupeError): void;
  /** Of the images that are read here. */
  readonly limits: BlobLimits;
  /** Called after the last delta was taken. */
  onResult(result: ChatResult): void;
}

/** Losses that say nothing about the request itself: another actor, or the next incarnation, may well serve it. */
const LOST: ReadonlySet<string> = new Set(['ACTOR_DIED', 'ACTOR_STOPPED', 'TENSOR_RELEASED']);

/** Yields deltas. Throws the request's failure. */
export async function* runGeneration(
  chat: UnreadChat,
  options: GenerationRunOptions,
): AsyncGenerator<ChatDelta, void, void> {
  const submittedAt = processNow();
  const reading = readBlobs(chat, options.limits);
  // Submitted at once where nothing is to be read: what callers do to their buffers later is their affair.
  const read = 'then' in reading ? await inTime(reading, options) : reading;
  const request: ProcessRequest = {
    requestId: options.requestId,
    chat: read,
    wantsStream: options.wantsStream,
    submittedAt,
    deadline: submittedAt + options.timeoutMs,
  };
  const deltas: ChatDelta[] = [];
  let firstTokenAt: number | undefined;
  const parsed = deltasOf(read);
  const keep = (made: readonly ChatDelta[]) => {
    firstTokenAt ??= processNow();
    deltas.push(...made);
    return made;
  };
  const summary = yield* attempts(request, options, (chunk) => keep(parsed?.of(chunk) ?? [chunk]));
  if (parsed !== undefined) yield* keep(parsed.end());
  const logprobs = read.logprobs === true;
  options.onResult(
    summarize(deltas, summary, { firstTokenAt: firstTokenAt ?? submittedAt, mode: options.mode, logprobs }),
  );
}

/** Yields deltas; returns the summary of the attempt that succeeded. */
async function* attempts(
  request: ProcessRequest,
  options: GenerationRunOptions,
  deltasOf: (chunk: TokenChunk) => readonly ChatDelta[],
): AsyncGenerator<ChatDelta, GenerationSummary> {
  const before = options.suspects.deaths;
  let losses = 0;
  let deaths = 0;
  for (let retry = 0; ; retry++) {
    const turn =
      losses === 0
        ? undefined
        : await turnOf(request, options, { deaths, before, isLast: retry >= options.retries });
    const reader = options.entry.stream('generate', request, { signal: options.signal });
    const leftMs = request.deadline - processNow();
    const deadline = after(leftMs, () => reader.fail(deadlineExceeded(options)));
    // Nobody may read on, and then this never comes to its end.
    const onAbort = () => clearTimeout(deadline);
    options.signal.addEventListener('abort', onAbort, { once: true });
    try {
      for await (const chunk of reader) {
        turn?.leave();
        yield* deltasOf(chunk);
      }
      return await reader.final;
    } catch (thrown) {
      if (isDataCloneError(thrown)) throw unsendable(thrown.cause);
      const error = withoutTrace(thrown);
      const lost = TroupeError.is(error) && LOST.has(error.code);
      if (!lost || options.signal.aborted) throw error;
      if (error.code === 'ACTOR_DIED') losses += 1;
      deaths = await options.suspects.deathsOf(losses, before);
      const verdict = options.suspects.verdict(request.requestId, deaths, turn?.alone === true, error);
      if (verdict !== undefined) throw verdict;
      if (reader.received > 0 || retry >= options.retries) throw error;
      options.onRetry(retry + 1, error);
    } finally {
      turn?.leave();
      clearTimeout(deadline);
      options.signal.removeEventListener('abort', onAbort);
    }
  }
}

/** Undefined where nothing can be called. */
function deltasOf({ tools = [], toolChoice, toolStyle = 'hermes' }: ChatRequest): ToolDeltas | undefined {
  const names = callableTools(tools, toolChoice).map(({ name }) => name);
  return names.length === 0 ? undefined : new ToolDeltas(toolStyle, names);
}

/** A Blob may be read from anywhere, and take as long: the request's time counts, and an abort ends the wait. */
async function inTime(reading: Promise<ChatRequest>, options: GenerationRunOptions): Promise<ChatRequest> {
  const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
  const onAbort = () => giveUp(options.signal.reason);
  // Not thrown here: what the reading comes to has to be heard by somebody.
  if (options.signal.aborted) onAbort();
  const timer = after(options.timeoutMs, () => giveUp(deadlineExceeded(options)));
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([given, reading]);
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
  }
}

/** Waits for the turn of a request that may be why an actor died, at most until its deadline. */
async function turnOf(
  { deadline }: ProcessRequest,
  options: GenerationRunOptions,
  suspect: Suspect,
): Promise<Turn> {
  const late = new AbortController();
  const timer = after(deadline - processNow(), () => late.abort(deadlineExceeded(options)));
  try {
    return await options.suspects.turn(AbortSignal.any([options.signal, late.signal]), suspect);
  } finally {
    clearTimeout(timer);
  }
}

/** A generation leaves nothing behind, however far it got: what an actor's death or an abort cut short may be sent again. */
function withoutTrace(error: unknown): unknown {
  if (!(error instanceof ActorError) || error.retrySafe) return error;
  if (!LOST.has(error.code) && error.code !== 'ABORTED') return error;
  const { message, code, details, cause } = error;
  return new ActorError(message, { code, retrySafe: true, details, cause });
}

/** The request could not even be posted. */
function isDataCloneError(error: unknown): error is TroupeError {
  const { cause } = TroupeError.is(error) ? error : {};
  return isErrorNamed(cause, 'DataCloneError');
}

function deadlineExceeded({ requestId, timeoutMs }: GenerationRunOptions): TroupeError {
  return new TroupeError(`request ${requestId} was not answered within ${timeoutMs} ms`, {
    code: 'DEADLINE_EXCEEDED',
    retrySafe: true,
    details: { timeoutMs },
  });
}
