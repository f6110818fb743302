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

/**
 * @param longest what each of so many choices may come to, prompt and answer
 * @param most what the memory holds for each of them
 */
export function neverFits(promptTokens: number, longest: number, choices: number, most: number): InputError {
  const fewer = choices > 1 ? 'fewer answers, ' : '';
  const remedy =
    promptTokens < most
      ? `Ask for ${fewer}at most ${most - promptTokens} tokens, or raise pd.kvCacheBytes`
      : `${choices > 1 ? 'Ask for fewer answers, shorten' : 'Shorten'} the prompt, or raise pd.kvCacheBytes`;
  const each = choices > 1 ? `${choices} answers do not fit` : 'an answer does not fit';
  const problem = `with the prompt of ${promptTokens} tokens ${each} into the memory for keys and values, which holds ${most}${choices > 1 ? ' for each' : ''}`;
  return new InputError('KV_MEMORY_EXCEEDED', problem, {
    field: 'maxTokens',
    value: longest - promptTokens,
    remedy,
  });
}
