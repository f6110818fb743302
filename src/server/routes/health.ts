/** Whether the process lives, and whether it serves: answered from memory, however busy the actors are. */
import type { FastifyInstance } from 'fastify';
import type { ServedModel } from '../models/served-model.ts';
import type { ServerState } from '../server-state.ts';

export function healthRoutes(app: FastifyInstance, state: ServerState): void {
  app.get('/live', (_request, reply) => {
    const failed = state.models.engines.flatMap(({ engine }) => engine.health().failed);
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

function healthOf({ phase, models, startedAtMs }: ServerState) {
  const { first, only, all } = models;
  const { config } = first;
  // Without one actor of a role, requests wait for its restart, or fail.
  const serves = models.engines.every(({ engine }) => engine.health().ready);
  const status = phase === 'ready' && !serves ? 'degraded' : phase;
  const sum = (read: (model: ServedModel) => number) => all.reduce((total, model) => total + read(model), 0);
  return {
    status,
    model: config.name,
    mode: config.resolved.mode,
    uptimeSeconds: Math.floor((performance.now() - startedAtMs) / 1000),
    requests: {
      running: sum(({ queue }) => queue.used),
      waiting: sum(({ queue }) => queue.waiting),
      maxRunning: sum((model) => model.config.maxInFlight),
      maxWaiting: sum(({ queue }) => queue.maxWaiting),
    },
    actors: first.slot.engine?.health().actors ?? [],
    // Of one model alone, that is all. Where a model lies is nobody's business here.
    ...(only === undefined && {
      models: models.status.map(({ model: _, ...status }) => ({
        ...status,
        ...actorsOf(models, status.name),
      })),
    }),
    ...(models.nodes !== undefined && { nodes: models.nodes }),
  };
}

function actorsOf(models: ServerState['models'], name: string) {
  const health = models.get(name)?.slot.engine?.health();
  return { ready: health?.ready ?? false, actors: health?.actors ?? [] };
}
