/**
 * Pages of other origins (CORS). None may read an answer unless its origin is named in the settings; the others are told
 * so when their browser asks (OPTIONS), and answered as if they were no pages otherwise: their browser hides the answer.
 */
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../openai/api-error.ts';

/** Of an answer, beside those that every page may read. */
const READABLE = 'x-request-id, retry-after, x-should-retry';

/** How long a browser may remember what it was allowed, s. */
const REMEMBERED_S = 600;

/** Names of headers. */
const PLAIN_LIST = /^[\w-]+(?:, ?[\w-]+){0,63}$/;

/** To be called before anything else can answer, so that a page can read errors too. */
export function addCrossOrigin(app: FastifyInstance, allowedOrigins: readonly string[]): void {
  const allowed = new Set(allowedOrigins);
  app.addHook('onRequest', async ({ headers: { origin } }, reply) => {
    if (allowed.size === 0) return;
    reply.header('vary', 'Origin');
    if (origin === undefined || !allowed.has(origin)) return;
    reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': READABLE });
  });
  // Load balancers ask like this whether a server is there.
  app.options('/*', ({ headers }, reply) => {
    if (headers.origin === undefined) return reply.code(204).send();
    if (!allowed.has(headers.origin)) throw originNotAllowed();
    const wanted = headers['access-control-request-headers'];
    if (wanted !== undefined && PLAIN_LIST.test(wanted)) reply.header('access-control-allow-headers', wanted);
    // Browsers ask it where a page from elsewhere wants to reach this machine.
    if (headers['access-control-request-private-network'] === 'true') {
      reply.header('access-control-allow-private-network', 'true');
    }
    const methods = {
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-max-age': REMEMBERED_S,
    };
    return reply.code(204).headers(methods).send();
  });
}

function originNotAllowed(): ApiError {
  return new ApiError(
    'Pages of this origin may not call this server. Name it in --allowed-origin (http.allowedOrigins) to allow them.',
    { status: 403, type: 'permission_error', code: 'origin_not_allowed' },
  );
}
