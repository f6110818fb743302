/** How a request that failed is counted. */
import type { RequestOutcome } from '../observe/metrics.ts';
import type { ApiError } from '../openai/api-error.ts';

export function outcomeOf({ facts: { status } }: ApiError, clientGone: boolean): RequestOutcome {
  if (clientGone) return 'aborted';
  if (status === 429 || status === 503) return 'rejected';
  if (status === 504) return 'deadline';
  return status < 500 ? 'client_error' : 'error';
}
