/**
 * Any failure as the client may see it. What it can act on keeps its words; whatever comes from within (a defect, a
 * graph that failed) is said in general words, since its own may name paths, addresses or code.
 */
import { InputError } from '../../../actors/errors.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import { ApiError, type ApiErrorFacts } from './api-error.ts';
import { fieldOfRequest } from './field-names.ts';

const RETRY_SOON = 1;
const RETRY_LATER = 5;

type Outcome = Omit<ApiErrorFacts, 'code'> & { readonly message: string; readonly code?: string };

const serverError = (status: number, message: string, more: Partial<Outcome> = {}): Outcome => ({
  status,
  type: 'server_error',
  message,
  ...more,
});

/** By the stable code of the failure. */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  QUEUE_FULL: {
    status: 429,
    type: 'rate_limit_error',
    message: 'The server has all the requests that it can take. Try again shortly.',
    retryAfter: RETRY_SOON,
  },
  BUFFERS_FULL: {
    status: 429,
    type: 'rate_limit_error',
    message: 'The server holds as many request bytes as it may. Try again shortly.',
    retryAfter: RETRY_SOON,
  },
  SERVER_STARTING: serverError(503, 'The server is starting.', { retryAfter: RETRY_SOON }),
  SERVER_DRAINING: serverError(503, 'The server is shutting down.', { retryAfter: RETRY_LATER }),
  ENGINE_STOPPED: serverError(503, 'The server is shutting down.', { retryAfter: RETRY_LATER }),
  DEADLINE_EXCEEDED: serverError(504, 'The request was not answered within its time.', { finalAnswer: true }),
  ABORTED: serverError(499, 'The request was aborted.'),
  ACTOR_DIED: serverError(503, 'The request was lost in a crash; it may be sent again.', {
    retryAfter: RETRY_SOON,
  }),
  REQUEST_CRASHED_ACTOR: serverError(
    500,
    'The request crashed a part of the server, and is not tried again.',
    {
      finalAnswer: true,
    },
  ),
  ACTOR_STOPPED: serverError(503, 'The request was lost in a restart; it may be sent again.', {
    retryAfter: RETRY_SOON,
  }),
  MODEL_FILE_CHANGED: serverError(503, 'The model of the server was changed; it has to be started anew.', {
    retryAfter: RETRY_LATER,
  }),
  FLEET_NO_NODE: serverError(503, 'No node of the fleet serves this model now.', { retryAfter: RETRY_LATER }),
  FLEET_UNREACHABLE: serverError(503, 'The fleet cannot be reached.', { retryAfter: RETRY_LATER }),
  FLEET_NODE_LOST: serverError(503, 'The request was lost with the node that had it; it may be sent again.', {
    retryAfter: RETRY_SOON,
  }),
  FLEET_ANSWER_DIVERGED: serverError(
    503,
    'The answer could not be continued on another node; the request may be sent again.',
    { retryAfter: RETRY_SOON },
  ),
  FLEET_MESSAGE_INVALID: serverError(503, 'Parts of the fleet do not understand each other.', {
    retryAfter: RETRY_LATER,
  }),
  MAILBOX_FULL: serverError(503, 'The server is busy.', { retryAfter: RETRY_SOON }),
  ACTOR_ESCALATED: serverError(503, 'A part of the server has failed and was given up.', {
    retryAfter: RETRY_LATER,
  }),
};

/** A model that could not be loaded: what the client named wrong, and what is wrong here. */
const MODEL_OUTCOMES: Readonly<Record<string, Outcome>> = {
  ...named(['MODEL_NOT_ON_HUB', 'MODEL_REVISION_NOT_FOUND'], {
    ...{ status: 404, type: 'not_found_error', param: 'model' },
    message: 'The Hub has no such model, or does not show it.',
  }),
  ...named(['MODEL_GATED'], {
    ...{ status: 403, type: 'permission_error', param: 'model' },
    message: 'The model is given only to people who have been granted access.',
  }),
  ...named(['MODEL_HAS_NO_ONNX', 'MODEL_UNSUPPORTED', 'MODEL_DTYPE_MISSING'], {
    ...{ status: 400, type: 'invalid_request_error', param: 'model' },
    message: 'The model cannot be served: it is of another kind, or has no graphs that could be run here.',
  }),
  ...named(
    [
      'HUB_OFFLINE',
      'HUB_UNREACHABLE',
      'HUB_RATE_LIMITED',
      'HUB_FAILED',
      'HUB_ANSWER_INVALID',
      'HUB_TOKEN_REFUSED',
    ],
    serverError(503, 'The model could not be fetched.', { retryAfter: RETRY_LATER }),
  ),
  ...named(
    ['DOWNLOAD_HASH_WRONG', 'DISK_FULL', 'CACHE_NOT_WRITABLE'],
    serverError(503, 'The model could not be fetched.', { retryAfter: RETRY_LATER }),
  ),
  ...named(
    ['MODEL_NOT_FOUND', 'MODEL_FILE_MISSING', 'MODEL_FILE_CORRUPT', 'MODE_NEEDS_SEPARATE_ENCODER'],
    serverError(503, 'The model cannot be loaded.', { code: 'model_unavailable', finalAnswer: true }),
  ),
  ...named(
    ['GPU_UNAVAILABLE', 'GPU_IN_USE'],
    serverError(503, 'The model cannot be loaded.', { code: 'model_unavailable', retryAfter: RETRY_LATER }),
  ),
  ...named(
    ['MODEL_OVER_BUDGET'],
    serverError(503, 'The model needs more memory than all models may have.', { finalAnswer: true }),
  ),
  ...named(['MODEL_NOT_LOADED'], serverError(503, 'The model is not loaded.', { retryAfter: RETRY_LATER })),
};

function named(codes: readonly string[], outcome: Outcome): Record<string, Outcome> {
  return Object.fromEntries(codes.map((code) => [code, outcome]));
}

/** Codes that clients of the OpenAI API know by another name. */
const KNOWN_AS: Readonly<Record<string, string>> = { PROMPT_TOO_LONG: 'context_length_exceeded' };

/** @param clientFields of the request, if the failure may be about one of its images */
export function toApiError(error: unknown, clientFields?: ReadonlyMap<string, string>): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof InputError) return inputError(error, clientFields);
  const code = TroupeError.is(error) ? error.code : '';
  const outcome = OUTCOMES[code] ?? MODEL_OUTCOMES[code];
  if (outcome === undefined) {
    const facts = { status: 500, type: 'server_error', code: 'internal_error' } as const;
    return new ApiError('The server failed to answer this request.', facts, error);
  }
  const { message, ...facts } = outcome;
  return new ApiError(message, { code: code.toLowerCase(), ...facts }, error);
}

/** Its message names field, value and remedy, in the words of the programmatic API. */
function inputError(error: InputError, clientFields: ReadonlyMap<string, string> | undefined): ApiError {
  const field = String(error.details.field);
  const param = fieldOfRequest(field, clientFields);
  const code = KNOWN_AS[error.code] ?? error.code.toLowerCase();
  const facts = { status: 400, type: 'invalid_request_error', code, param } as const;
  return new ApiError(
    error.message.replace(field, () => param),
    facts,
    error,
  );
}
