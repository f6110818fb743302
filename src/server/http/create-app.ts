/** The HTTP server: limits on what a client may send and how long it may take, guards before every route, errors in one shape. */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { messagesFormat } from '../anthropic/messages-writer.ts';
import { ApiError } from '../openai/api-error.ts';
import { toApiError } from '../openai/to-api-error.ts';
import { adminRoutes } from '../routes/admin.ts';
import { chatRoutes } from '../routes/chat.ts';
import { healthRoutes } from '../routes/health.ts';
import { metricsRoute } from '../routes/metrics.ts';
import { playgroundRoutes } from '../routes/playground.ts';
import { translatedRoutes } from '../routes/translated.ts';
import type { ServerState } from '../server-state.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { createServer } from './create-server.ts';
import { addCrossOrigin } from './cross-origin.ts';
import { addGuards, notFound } from './guards.ts';
import { httpError } from './http-error.ts';
import { ReadTurns } from './read-turns.ts';

/** Of all connections. */
const SHARE_OF_ONE_ADDRESS = 1 / 4;

const REQUEST_ID = /^[\w.:-]{1,128}$/;

export function createApp(state: ServerState): FastifyInstance {
  const { http, playground } = state.config;
  const { maxConnections: total, maxConnectionsPerAddress } = http;
  const perAddress = maxConnectionsPerAddress ?? Math.ceil(total * SHARE_OF_ONE_ADDRESS);
  const connections = new ConnectionLimits({ total, perAddress });
  const reads = new ReadTurns();
  const app = Fastify({
    logger: false,
    bodyLimit: http.maxBodyBytes,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    forceCloseConnections: 'idle',
    return503OnClosing: false, // a drain answers by itself
    clientErrorHandler: () => {}, // the server's own, which secondary servers have too
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    serverFactory: (listener) => createServer(listener, http, { connections, reads }),
    ...(http.trustedProxies.length > 0 && { trustProxy: http.trustedProxies }),
  });
  addCrossOrigin(app, http.allowedOrigins);
  addGuards(app, state, reads);
  app.setErrorHandler((error, request, reply) => {
    const failure = error instanceof ApiError ? error : (httpError(error) ?? toApiError(error));
    if (failure.facts.status === 500)
      state.log.error({ err: error, requestId: request.id }, 'request failed');
    if (failure.facts.status === 413) reply.header('connection', 'close'); // the rest of it is not read
    return reply.code(failure.facts.status).headers(failure.headers).send(failureOf(request, failure));
  });
  app.setNotFoundHandler((request, reply) => reply.code(404).send(failureOf(request, notFound(request))));
  chatRoutes(app, state);
  translatedRoutes(app, state);
  healthRoutes(app, state);
  metricsRoute(app, state);
  if (state.config.apiKeys.length > 0) adminRoutes(app, state);
  if (playground) playgroundRoutes(app);
  return app;
}

const OF_ANTHROPIC = /^\/+v1\/+messages(?:[/?]|$)/;

/** In the words of the API that was asked. */
function failureOf({ url }: FastifyRequest, failure: ApiError): object {
  return OF_ANTHROPIC.test(url) ? messagesFormat.failure(failure) : failure.body;
}

/** The client's own, if it can be logged and sent back as it is. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
