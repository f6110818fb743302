/** What every request passes before its body is read: the name it calls us by, its key, and room for its bytes. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../openai/api-error.ts';
import type { ServerState } from '../server-state.ts';
import { ApiKeys } from './api-keys.ts';
import { HostGuard } from './host-guard.ts';
import { guardAgainstStall } from './stall-guard.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route needs a key, if any are configured. */
    needsKey?: true;
  }
}

/** For every answer; the page adds its own. */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

export function addGuards(app: FastifyInstance, state: ServerState): void {
  const { config, budget } = state;
  const keys = new ApiKeys(config.apiKeys);
  const hosts = new HostGuard(config);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id });
    if (state.phase === 'draining') reply.header('connection', 'close');
    guardAgainstStall(reply.raw, config.http.stallTimeoutMs);
    if (!hosts.accepts(request.headers.host)) throw unknownHost();
    if (
      request.routeOptions.config.needsKey &&
      keys.required &&
      !keys.accepts(request.headers.authorization)
    ) {
      throw wrongKey();
    }
    const release = budget.reserve(announcedBytes(request, config.http.maxBodyBytes));
    reply.raw.once('close', release);
  });
}

/** Whose turn a request takes: one client is one key, or one address. */
export function clientOf({ headers, ip }: FastifyRequest): string {
  return headers.authorization === undefined ? ip : ApiKeys.fingerprint(headers.authorization);
}

/** A body of unknown length may become as long as allowed. */
function announcedBytes({ method, headers }: FastifyRequest, limit: number): number {
  if (method === 'GET' || method === 'HEAD') return 0;
  const length = Number(headers['content-length'] ?? limit);
  return Number.isFinite(length) ? Math.min(length, limit) : limit;
}

function wrongKey(): ApiError {
  return new ApiError('A valid API key is needed: Authorization: Bearer KEY.', {
    status: 401,
    type: 'authentication_error',
    code: 'invalid_api_key',
  });
}

function unknownHost(): ApiError {
  return new ApiError('This server is not known by that name. Add it to the allowed hosts to call it so.', {
    status: 403,
    type: 'permission_error',
    code: 'host_not_allowed',
  });
}
