/** What every request passes before its body is read: the name it calls us by, whether there is such a route, its key. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../openai/api-error.ts';
import type { ServerState } from '../server-state.ts';
import { ApiKeys } from './api-keys.ts';
import { BodyReceiver } from './body-receiver.ts';
import { addressOf } from './client-identity.ts';
import { probeWhenHalfClosed } from './half-closed.ts';
import { HostGuard } from './host-guard.ts';
import { encodingOf } from './inflate-body.ts';
import type { ReadTurns } from './read-turns.ts';
import { guardAgainstStall } from './stall-guard.ts';
import { closeUnlessRead } from './unread-body.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route needs a key, if any are configured. */
    needsKey?: true;
    /** The route takes a body, of at most its `bodyLimit`; bodies of other requests are never kept. */
    takesBody?: true;
  }
  interface FastifyRequest {
    /** Whose turn it takes: a known key by its fingerprint, or an address. */
    client: string;
    /** Of a route that takes a body. */
    receiver: BodyReceiver | undefined;
  }
}

/** For every answer; the page adds its own. */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

export function addGuards(app: FastifyInstance, state: ServerState, reads: ReadTurns): void {
  const { config, budget } = state;
  const { stallTimeoutMs, minBytesPerSecond } = config.http;
  const keys = new ApiKeys(config.apiKeys);
  const hosts = new HostGuard(config);
  app.decorateRequest('client', '');
  app.decorateRequest('receiver', undefined);
  app.addHook('onRequest', async (request, reply) => {
    // Anthropic's clients read it by the other name.
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id, 'request-id': request.id });
    const onWhole = closeUnlessRead(request.raw, reply.raw);
    if (state.phase === 'draining') reply.header('connection', 'close');
    guardAgainstStall(reply.raw, stallTimeoutMs);
    probeWhenHalfClosed(reply.raw);
    if (!hosts.accepts(request.headers.host, request.socket.localAddress)) throw unknownHost();
    if (request.is404) throw notFound(request);
    const { needsKey, takesBody } = request.routeOptions.config;
    const { authorization, 'x-api-key': bare } = request.headers;
    const key = needsKey && keys.required ? keys.identify(authorization, bare) : '';
    if (key === undefined) throw wrongKey();
    request.client = key || addressOf(request.ip);
    if (!takesBody) return;
    const address = addressOf(request.socket.remoteAddress);
    request.receiver = new BodyReceiver(request.raw, reply.raw, {
      budget,
      client: request.client,
      encoding: encodingOf(request.headers['content-encoding']),
      maxBytes: request.routeOptions.bodyLimit,
      minBytesPerSecond,
      onRead: () => reads.note(address),
      onWhole,
    });
  });
  app.removeAllContentTypeParsers(); // text/plain too, which a web page may send anywhere without asking
  app.addContentTypeParser('application/json', async (request: FastifyRequest) => {
    return await request.receiver?.receive();
  });
}

export function notFound({ method, url }: FastifyRequest): ApiError {
  const path = url.split('?')[0]?.slice(0, 128) ?? '';
  return new ApiError(`There is no ${method} ${path}.`, {
    status: 404,
    type: 'not_found_error',
    code: 'not_found',
  });
}

function wrongKey(): ApiError {
  return new ApiError('A valid API key is needed: Authorization: Bearer KEY, or x-api-key: KEY.', {
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
