/** What Prometheus scrapes. */
import type { FastifyInstance } from 'fastify';
import type { ServerState } from '../server-state.ts';

export function metricsRoute(app: FastifyInstance, state: ServerState): void {
  app.get('/metrics', async (_request, reply) => {
    const { engine, engineMetrics, metrics } = state;
    if (engine !== undefined) await engineMetrics.collect(engine);
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}
