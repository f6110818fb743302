/** The ways in which the engine fails a request. Only a request: the engine itself goes on. */
import { ActorError, TroupeError } from '../../runtime/errors.ts';
import { InputError } from '../errors.ts';

export function deadlineExceeded(requestId: string): TroupeError {
  return new TroupeError(`Request ${requestId} passed its deadline`, {
    code: 'DEADLINE_EXCEEDED',
    retrySafe: true,
    details: { requestId },
  });
}

export function cancelled(requestId: string): ActorError {
  return new ActorError(`Request ${requestId} was cancelled by its consumer`, {
    code: 'ABORTED',
    retrySafe: true,
    details: { requestId },
  });
}

export function engineStopped(requestId: string): ActorError {
  return new ActorError(`The engine stopped before request ${requestId} was answered`, {
    code: 'ACTOR_STOPPED',
    retrySafe: true,
    details: { requestId },
  });
}

export function queueFull(requestId: string, maxWaiting: number): ActorError {
  return new ActorError(`The engine's waiting queue is full (${maxWaiting} requests)`, {
    code: 'MAILBOX_FULL',
    retrySafe: true,
    details: { requestId, maxWaiting },
  });
}

export function numericsFailed(requestId: string): TroupeError {
  return new TroupeError(`The model gave NaN or Infinity as logits for request ${requestId}`, {
    code: 'MODEL_NUMERICS',
    details: { requestId },
  });
}

export function promptTooLong(promptTokens: number, contextLength: number): TroupeError {
  return new TroupeError(
    `The prompt has ${promptTokens} tokens; the model's context of ${contextLength} leaves no room for an answer`,
    { code: 'CONTEXT_LENGTH_EXCEEDED', details: { promptTokens, contextLength } },
  );
}

export function emptyPrompt(requestId: string): TroupeError {
  return new TroupeError(`The prompt of request ${requestId} has no tokens`, {
    code: 'PROMPT_EMPTY',
    details: { requestId },
  });
}

export function imageTokensMismatch(imageTokens: number, features: number): TroupeError {
  return new TroupeError(
    `The prompt has ${imageTokens} image tokens, but its images have ${features} feature rows`,
    { code: 'IMAGE_TOKENS_MISMATCH', details: { imageTokens, features } },
  );
}

/** @param most the longest sequence, prompt and answer, that the memory holds */
export function neverFits(promptTokens: number, longest: number, most: number): InputError {
  const remedy =
    promptTokens < most
      ? `Ask for at most ${most - promptTokens} tokens, or raise pd.kvCacheBytes`
      : 'Shorten the prompt, or raise pd.kvCacheBytes';
  const problem = `with its prompt of ${promptTokens} tokens an answer does not fit into the memory for keys and values, which holds ${most}`;
  return new InputError('KV_MEMORY_EXCEEDED', problem, {
    field: 'maxTokens',
    value: longest - promptTokens,
    remedy,
  });
}
