/** What only who has a key may do; without configured keys these routes do not exist. */
import type { FastifyInstance } from 'fastify';
import type { ServerState } from '../server-state.ts';

export function adminRoutes(app: FastifyInstance, state: ServerState): void {
  // Clients send an empty object, where they send anything: it is read past.
  app.post('/admin/clear_kv_blocks', { config: { needsKey: true } }, async (request) => {
    const cleared = await state.readyEngine().clearCaches();
    state.log.info({ requestId: request.id, cleared }, 'caches cleared');
    return { status: 'success', cleared };
  });
}
