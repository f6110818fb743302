/** What Prometheus scrapes. Asking all actors and writing it out takes milliseconds: who asks meanwhile gets the same. */
import type { FastifyInstance } from 'fastify';
import type { ServerState } from '../server-state.ts';

export function metricsRoute(app: FastifyInstance, state: ServerState): void {
  let collecting: Promise<string> | undefined;
  app.get('/metrics', async (_request, reply) => {
    collecting ??= collect(state).finally(() => {
      collecting = undefined;
    });
    return reply.type(state.metrics.registry.contentType).send(await collecting);
  });
}

async function collect({ models, engineMetrics, metrics }: ServerState): Promise<string> {
  await engineMetrics.collect(models.engines);
  return await metrics.registry.metrics();
}
