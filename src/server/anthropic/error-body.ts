/** Failures as Anthropic's API words them. What OpenAI's has beside the message is in `details`. */
import type { ApiError } from '../openai/api-error.ts';

const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

export function messagesError({ message, facts }: ApiError): object {
  const { status, code, param } = facts;
  const type = BY_STATUS[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  const details = { error_code: code, param: param ?? null };
  return { type: 'error', error: { type, message, details } };
}
