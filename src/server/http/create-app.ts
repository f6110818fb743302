/** The HTTP server: limits on what a client may send and how long it may take, guards before every route, errors in one shape. */
import { randomUUID } from 'node:crypto';
import type { ServerOptions } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { ApiError } from '../openai/api-error.ts';
import { toApiError } from '../openai/to-api-error.ts';
import { adminRoutes } from '../routes/admin.ts';
import { chatRoutes } from '../routes/chat.ts';
import { healthRoutes } from '../routes/health.ts';
import { metricsRoute } from '../routes/metrics.ts';
import { playgroundRoutes } from '../routes/playground.ts';
import type { ServerConfig } from '../server-config.ts';
import type { ServerState } from '../server-state.ts';
import { onClientError } from './client-error.ts';
import { addCrossOrigin } from './cross-origin.ts';
import { addGuards } from './guards.ts';
import { httpError } from './http-error.ts';
import { httpServer } from './http-server.ts';

/** Longer headers are refused. */
const MAX_HEADER_BYTES = 16 * 1024;

const REQUEST_ID = /^[\w.:-]{1,128}$/;

export function createApp(state: ServerState): FastifyInstance {
  const { http, playground } = state.config;
  const app = Fastify({
    logger: false,
    bodyLimit: http.maxBodyBytes,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    serverFactory: (listener) => httpServer(listener, serverOptions(http), http.maxConnections),
    forceCloseConnections: 'idle',
    return503OnClosing: false, // a drain answers by itself
    clientErrorHandler: onClientError,
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
  });
  app.removeContentTypeParser('text/plain'); // what a web page may send anywhere without asking
  addCrossOrigin(app, http.allowedOrigins);
  addGuards(app, state);
  app.setErrorHandler((error, request, reply) => {
    const failure = error instanceof ApiError ? error : (httpError(error) ?? toApiError(error));
    if (failure.facts.status === 500)
      state.log.error({ err: error, requestId: request.id }, 'request failed');
    if (failure.facts.status === 413) reply.header('connection', 'close'); // the rest of it is not read
    return reply.code(failure.facts.status).headers(failure.headers).send(failure.body);
  });
  app.setNotFoundHandler((request, reply) => reply.code(404).send(notFound(request).body));
  chatRoutes(app, state);
  healthRoutes(app, state);
  metricsRoute(app, state);
  if (state.config.apiKeys.length > 0) adminRoutes(app, state);
  if (playground) playgroundRoutes(app);
  return app;
}

function serverOptions({ receiveTimeoutMs, keepAliveTimeoutMs }: ServerConfig['http']): ServerOptions {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: receiveTimeoutMs,
    requestTimeout: receiveTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, Math.max(50, receiveTimeoutMs / 4)),
  };
}

/** The client's own, if it can be logged and sent back as it is. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

function notFound({ method, url }: FastifyRequest): ApiError {
  const path = url.split('?')[0]?.slice(0, 128) ?? '';
  return new ApiError(`There is no ${method} ${path}.`, {
    status: 404,
    type: 'not_found_error',
    code: 'not_found',
  });
}
