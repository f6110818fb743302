/** Failures as the OpenAI API words them: a status, and a body of message, type, param and code. */

export type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'rate_limit_error'
  | 'server_error';

export interface ApiErrorFacts {
  readonly status: number;
  readonly type: ApiErrorType;
  /** Stable, snake_case. */
  readonly code: string;
  /** The field of the request that is wrong: `messages[0].content[1].image_url.url`. */
  readonly param?: string;
  /** Seconds after which to try again. */
  readonly retryAfter?: number;
  /** Told to clients that would otherwise try again by themselves. */
  readonly finalAnswer?: true;
}

export interface ApiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: ApiErrorType;
    readonly param: string | null;
    readonly code: string;
  };
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly facts: ApiErrorFacts;

  constructor(message: string, facts: ApiErrorFacts, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.facts = facts;
  }

  get body(): ApiErrorBody {
    const { type, param, code } = this.facts;
    return { error: { message: this.message, type, param: param ?? null, code } };
  }

  get headers(): Record<string, string> {
    const { retryAfter, finalAnswer } = this.facts;
    return {
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      ...(finalAnswer === undefined ? {} : { 'x-should-retry': 'false' }), // read by OpenAI's own clients
    };
  }
}

/** A request that has to be changed before it is sent again. */
export function badRequest(code: string, param: string, problem: string): ApiError {
  return new ApiError(`${param}: ${problem}`, { status: 400, type: 'invalid_request_error', code, param });
}
