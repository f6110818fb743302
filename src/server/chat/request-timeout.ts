/** A client may want its answer sooner than the server's own limit; OpenAI's API has no field for it. */
import type { FastifyRequest } from 'fastify';
import { badRequest } from '../openai/api-error.ts';

export const TIMEOUT_HEADER = 'x-request-timeout-ms';

export function requestTimeout({ headers }: FastifyRequest, limitMs: number): number {
  const given = headers[TIMEOUT_HEADER];
  if (given === undefined) return limitMs;
  const ms = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if (ms > 0) return Math.min(ms, limitMs);
  throw badRequest('invalid_value', TIMEOUT_HEADER, 'must be a whole number of milliseconds above 0');
}
