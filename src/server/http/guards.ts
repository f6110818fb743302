/** What every request passes before its body is parsed: the name it calls us by, its key, and room for its bytes. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../openai/api-error.ts';
import type { ServerState } from '../server-state.ts';
import { ApiKeys } from './api-keys.ts';
import type { Reservation } from './byte-budget.ts';
import { probeWhenHalfClosed } from './half-closed.ts';
import { HostGuard } from './host-guard.ts';
import { encodingOf, inflatedBody, mostInflated } from './inflate-body.ts';
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

/** Methods whose body is not read. */
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS']);

export function addGuards(app: FastifyInstance, state: ServerState): void {
  const { config, budget } = state;
  const { maxBodyBytes, stallTimeoutMs } = config.http;
  const reservations = new WeakMap<FastifyRequest, Reservation>();
  const keys = new ApiKeys(config.apiKeys);
  const hosts = new HostGuard(config);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id });
    if (state.phase === 'draining') reply.header('connection', 'close');
    guardAgainstStall(reply.raw, stallTimeoutMs);
    probeWhenHalfClosed(reply.raw);
    if (!hosts.accepts(request.headers.host, request.raw.socket.localAddress)) throw unknownHost();
    if (
      request.routeOptions.config.needsKey &&
      keys.required &&
      !keys.accepts(request.headers.authorization)
    ) {
      throw wrongKey();
    }
    const reservation = budget.reserve(announcedBytes(request, maxBodyBytes));
    reservations.set(request, reservation);
    reply.raw.once('close', reservation.release);
  });
  app.addHook('preParsing', async (request, _reply, body) => {
    if (BODILESS.has(request.method)) return body;
    const encoding = encodingOf(request.headers['content-encoding']);
    if (encoding === undefined) return body;
    const onEnd = (bytes: number) => reservations.get(request)?.shrinkTo(bytes);
    return inflatedBody(body, { encoding, limit: maxBodyBytes, onEnd });
  });
}

/** Whose turn a request takes: one client is one key, or one address. */
export function clientOf({ headers, ip }: FastifyRequest): string {
  return headers.authorization === undefined ? ip : ApiKeys.fingerprint(headers.authorization);
}

/** A body of unknown length may become as long as allowed, and so may one that is inflated. */
function announcedBytes({ method, headers }: FastifyRequest, limit: number): number {
  if (BODILESS.has(method)) return 0;
  const announced = Number(headers['content-length'] ?? limit);
  const length = Number.isFinite(announced) ? announced : limit;
  const encoding = encodingOf(headers['content-encoding']);
  return Math.min(encoding === undefined ? length : mostInflated(encoding, length), limit);
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
