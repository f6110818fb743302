/** Whether the process lives, and whether it serves: answered from memory, however busy the actors are. */
import type { FastifyInstance } from 'fastify';
import type { ServerState } from '../server-state.ts';

export function healthRoutes(app: FastifyInstance, state: ServerState): void {
  app.get('/live', () => ({ status: 'live' }));
  app.get('/health', (_request, reply) => {
    const body = healthOf(state);
    if (body.status !== 'ready') reply.code(503);
    return reply.send(body);
  });
}

function healthOf({ phase, engine, config, queue, startedAt }: ServerState) {
  const health = engine?.health();
  // Without one actor of a role, requests wait for its restart, or fail.
  const status = phase === 'ready' && health?.ready !== true ? 'degraded' : phase;
  return {
    status,
    model: config.modelName,
    mode: config.resolved.mode,
    uptimeSeconds: Math.floor((Date.now() - startedAt.getTime()) / 1000),
    requests: {
      running: queue.used,
      waiting: queue.waiting,
      maxRunning: config.queue.maxInFlight,
      maxWaiting: config.queue.maxQueued,
    },
    actors: health?.actors ?? [],
  };
}
