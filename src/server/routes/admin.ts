/** What only who has a key may do; without configured keys these routes do not exist. */
import type { FastifyInstance } from 'fastify';
import type { ClearedCaches } from '../../troupe.ts';
import type { ServerState } from '../server-state.ts';

export function adminRoutes(app: FastifyInstance, state: ServerState): void {
  // Clients send an empty object, where they send anything: it is read past.
  app.post('/admin/clear_kv_blocks', { config: { needsKey: true } }, async (request) => {
    const cleared = await clearedCaches(state);
    state.log.info({ requestId: request.id, cleared }, 'caches cleared');
    return { status: 'success', cleared };
  });
}

/** Of the only model; of several by their names. */
async function clearedCaches(state: ServerState): Promise<ClearedCaches | Record<string, ClearedCaches>> {
  state.assertOpen();
  if (state.models.only !== undefined) return await state.readyEngine().clearCaches();
  const cleared = state.models.engines.map(
    async ({ name, engine }) => [name, await engine.clearCaches()] as const,
  );
  return Object.fromEntries(await Promise.all(cleared));
}
