/** Whether the process lives, and whether it serves: answered from memory, however busy the actors are. */
import type { FastifyInstance } from 'fastify';
import type { ServerState } from '../server-state.ts';

export function healthRoutes(app: FastifyInstance, state: ServerState): void {
  app.get('/live', (_request, reply) => {
    const failed = state.engine?.health().failed ?? [];
    if (failed.length === 0) return { status: 'live' };
    // Only a new process serves again: whoever watches over this one should start it.
    return reply.code(503).send({ status: 'failed', failed });
  });
  app.get('/health', (_request, reply) => {
    const body = healthOf(state);
    if (body.status !== 'ready') reply.code(503);
    return reply.send(body);
  });
}

function healthOf({ phase, engine, config, queue, startedAtMs }: ServerState) {
  const health = engine?.health();
  // Without one actor of a role, requests wait for its restart, or fail.
  const status = phase === 'ready' && health?.ready !== true ? 'degraded' : phase;
  return {
    status,
    model: config.modelName,
    mode: config.resolved.mode,
    uptimeSeconds: Math.floor((performance.now() - startedAtMs) / 1000),
    requests: {
      running: queue.used,
      waiting: queue.waiting,
      maxRunning: config.queue.maxInFlight,
      maxWaiting: config.queue.maxQueued,
    },
    actors: health?.actors ?? [],
  };
}
