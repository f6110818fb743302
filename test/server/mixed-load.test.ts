import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mixedLoad } from '../../scripts/soak/mixed-load.ts';
import { nodesOf } from './support/behind-gateway.ts';
import { assertServes, idle, startServer } from './support/server.ts';

/** A short form of `npm run soak:server`. */
it('under four times what it takes, with clients that leave, a server answers everyone and ends with all places free', async () => {
  await using server = await startServer({ queue: { maxInFlight: 2, maxQueued: 2 } });
  const { endings, lost } = await mixedLoad({ url: server.url, clients: 16, durationMs: 3_000, seed: 1 });
  assert.deepEqual(lost, []);
  assert.equal(endings.lost, 0);
  for (const ending of ['answered', 'refused', 'left'] as const) assert(endings[ending] > 0, ending);
  await idle(server);
  for (const { engine } of nodesOf(server)) {
    const { actors, arenas, requestsInFlight } = await engine.stats();
    assert.equal(requestsInFlight, 0);
    const { running, waiting, draining } = actors.find(({ name }) => name === 'aggregated/0')?.stats ?? {};
    assert.deepEqual({ running, waiting, draining }, { running: 0, waiting: 0, draining: 0 });
    assert.equal(arenas.find(({ name }) => name === 'pixels')?.tensors, 0);
  }
  await assertServes(server);
});
