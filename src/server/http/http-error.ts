/** What the HTTP layer refuses by itself, in the API's shape. */

import { isError } from '../../../runtime/util/realms.ts';
import { ApiError } from '../openai/api-error.ts';

const CODES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send application/json.'],
};

/** undefined for what the HTTP layer has no part in. */
export function httpError(error: unknown): ApiError | undefined {
  if (!isError(error) || !('statusCode' in error) || typeof error.statusCode !== 'number') {
    return undefined;
  }
  const { statusCode } = error;
  if (statusCode < 400 || statusCode > 499) return undefined;
  const fastifyCode = 'code' in error ? String(error.code) : '';
  const [code, message] = CODES[fastifyCode] ?? ['invalid_request', 'The request could not be read.'];
  return new ApiError(message, { status: statusCode, type: 'invalid_request_error', code }, error);
}
